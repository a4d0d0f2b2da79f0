#include "descriptors.hh"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.hh"
#include "errors.hh"
#include "state.hh"

namespace dfjail {
namespace {

// A command that writes much is not to wait for us after every 64 KB. What a pipe may hold counts
// against an ordinary user's share of all pipes: theirs stay as they are.
void make_roomy(int pipe) {
#ifdef F_SETPIPE_SZ
  constexpr int kRoomy = 256 * 1024;
  if (geteuid() == 0) fcntl(pipe, F_SETPIPE_SZ, kRoomy);
#else
  (void)pipe;
#endif
}

// On Linux it is a matter of permissions whether a program can open /dev/stdout again (nginx does),
// and the pipe belongs to the host's user, who is nobody inside. Only who may look into the
// command's process at all can find the pipe. On the BSDs /dev/stdout is the same open file whoever
// opens it, and fchmod(2) refuses pipes (EINVAL).
bool let_anybody_reopen(int pipe) {
#ifdef __linux__
  constexpr mode_t kEverybody = 0666;
  return fchmod(pipe, kEverybody) == 0;
#else
  (void)pipe;
  return true;
#endif
}

Napi::Value make_pipe(const Napi::CallbackInfo& info) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return throw_errno(info.Env(), "pipe2");
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  if (!let_anybody_reopen(ends[0])) return throw_errno(info.Env(), "fchmod");
  if (info[0].ToBoolean()) make_roomy(ends[1]);
  return give_pair(info.Env(), &reader, &writer);
}

Napi::Value make_socket_pair(const Napi::CallbackInfo& info) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
    return throw_errno(info.Env(), "socketpair");
  }
  UniqueFd first(ends[0]);
  UniqueFd second(ends[1]);
  return give_pair(info.Env(), &first, &second);
}

// For a message that has to wait: the caller's own descriptor may be closed before it is sent.
Napi::Value duplicate(const Napi::CallbackInfo& info) {
  int fd = -1;
  if (!get_descriptor(info, 0, "fd", &fd)) return info.Env().Undefined();
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return throw_errno(info.Env(), "fcntl");
  return give(info.Env(), &copy);
}

// Not repeated after EINTR: the descriptor is gone by then.
Napi::Value close_descriptor(const Napi::CallbackInfo& info) {
  int fd = -1;
  if (!get_descriptor(info, 0, "fd", &fd)) return info.Env().Undefined();
  State::of(info.Env())->forget(fd);
  if (close(fd) < 0 && errno != EINTR) return throw_errno(info.Env(), "close");
  return info.Env().Undefined();
}

Napi::Value is_open(const Napi::CallbackInfo& info) {
  int fd = -1;
  if (!get_descriptor(info, 0, "fd", &fd)) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), fcntl(fd, F_GETFD) >= 0);
}

}  // namespace

Napi::Value give(Napi::Env env, UniqueFd* fd) {
  State::of(env)->give(fd->get());
  return Napi::Number::New(env, fd->release());
}

Napi::Value give_pair(Napi::Env env, UniqueFd* first, UniqueFd* second) {
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0U, give(env, first));
  pair.Set(1U, give(env, second));
  return pair;
}

void define_descriptors(Napi::Env env, Napi::Object exports) {
  exports.Set("pipe", Napi::Function::New(env, make_pipe, "pipe"));
  exports.Set("socketPair", Napi::Function::New(env, make_socket_pair, "socketPair"));
  exports.Set("duplicate", Napi::Function::New(env, duplicate, "duplicate"));
  exports.Set("close", Napi::Function::New(env, close_descriptor, "close"));
  exports.Set("isOpen", Napi::Function::New(env, is_open, "isOpen"));
}

}  // namespace dfjail
