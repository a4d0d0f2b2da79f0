#include "dragonfly_attach.hh"

#include <fcntl.h>
#include <sys/types.h>
// After sys/types.h.
#include <sys/event.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "../common/error.hh"
#include "../common/unique_fd.hh"
#include "../dragonfly/jail_calls.hh"
#include "../dragonfly/sysctl.hh"
#include "arguments.hh"
#include "errors.hh"

// This process, all its threads, enters a jail for good. The kernel leaves it every descriptor that
// it has, and from a directory among them fchdir(2) leads out again.
namespace dfjail {
namespace {

// No descriptor is above it, whatever the limit has been lowered to since it was opened.
int descriptor_limit() {
  int limit = 0;
  if (!sysctl_get_int("kern.maxfilesperproc", &limit)) limit = 0;
  return std::max(limit, getdtablesize());
}

// Calls visit(fd, what fstat(2) says) for everything that is open, until it returns false.
template <typename Visit>
bool each_open(const Visit& visit) {
  const int limit = descriptor_limit();
  struct stat info;
  for (int fd = 0; fd < limit; fd++) {
    if (fstat(fd, &info) == 0 && !visit(fd, info)) return false;
  }
  return true;
}

// Closes what is open on directories. Their numbers stay taken, by `instead`: who opened one closes
// its number some day, and that must not be somebody else's file by then.
bool close_directories(int instead, std::vector<int>* closed) {
  return each_open([=](int fd, const struct stat& info) {
    if (!S_ISDIR(info.st_mode)) return true;
    const bool inherited = (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
    if (fcntl(instead, inherited ? F_DUP2FD : F_DUP2FD_CLOEXEC, fd) < 0) return false;
    closed->push_back(fd);
    return true;
  });
}

// A kqueue says that it is a pipe, but for the size of what is read from it.
const char* type_of(int fd, const struct stat& info) {
  constexpr auto kEventSize = static_cast<blksize_t>(sizeof(struct kevent));
  if (S_ISREG(info.st_mode)) return "file";
  if (S_ISSOCK(info.st_mode)) return "socket";
  if (S_ISFIFO(info.st_mode)) return info.st_blksize == kEventSize ? "kqueue" : "pipe";
  if (S_ISCHR(info.st_mode)) return isatty(fd) != 0 ? "terminal" : "device";
  return "other";
}

// What cannot be undone, in order. A directory that another thread opened after the first look, and
// before there was a jail around it, is found by the second.
bool enter(int jid, int instead, std::vector<int>* closed, Error* error) {
  constexpr const char* kStep = "attach";
  if (!close_directories(instead, closed)) return fail(error, kStep, "fcntl");
  if (jail_enter(jid) < 0) return fail(error, kStep, "jail_attach");
  if (!close_directories(instead, closed)) return fail(error, kStep, "fcntl");
  return chdir("/") == 0 || fail(error, kStep, "chdir", "/");
}

Napi::Array list_kept(Napi::Env env, const std::vector<int>& left_out) {
  Napi::Array kept = Napi::Array::New(env);
  each_open([&](int fd, const struct stat& info) {
    const Napi::HandleScope scope(env);
    if (std::find(left_out.begin(), left_out.end(), fd) != left_out.end()) return true;
    Napi::Object row = Napi::Object::New(env);
    row.Set("fd", Napi::Number::New(env, fd));
    row.Set("type", Napi::String::New(env, type_of(fd, info)));
    kept.Set(kept.Length(), row);
    return true;
  });
  return kept;
}

Napi::Value report(Napi::Env env, const std::vector<int>& closed) {
  Napi::Array numbers = Napi::Array::New(env, closed.size());
  for (uint32_t i = 0; i < closed.size(); i++) numbers.Set(i, Napi::Number::New(env, closed[i]));
  Napi::Object report = Napi::Object::New(env);
  report.Set("closed", numbers);
  report.Set("kept", list_kept(env, closed));
  return report;
}

Napi::Value enter_jail(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int jid = 0;
  int ends[2];
  if (!get_integer(info, 0, "jid", 1, INT32_MAX, &jid)) return env.Undefined();
  if (pipe2(ends, O_CLOEXEC) < 0) return throw_errno(env, "pipe2");
  close(ends[1]);  // nothing is ever read from it
  UniqueFd instead(ends[0]);
  std::vector<int> closed;
  Error error;
  if (!enter(jid, instead.get(), &closed, &error)) return throw_error(env, error);
  instead.reset();
  return report(env, closed);
}

}  // namespace

void define_attach(Napi::Env env, Napi::Object exports) {
  exports.Set("enterJail", Napi::Function::New(env, enter_jail, "enterJail"));
}

}  // namespace dfjail
