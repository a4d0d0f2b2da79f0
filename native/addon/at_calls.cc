#include "at_calls.hh"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/unique_fd.hh"
#include "arguments.hh"
#include "errors.hh"
#include "promise_worker.hh"
#include "remove_tree.hh"

namespace dfjail {
namespace {

constexpr uint32_t kMaxNames = 1U << 17;  // of a directory: somebody may have made a million

// A name in an open directory.
struct Place {
  int folder = -1;
  std::string name;
};

bool get_place(const Napi::CallbackInfo& info, size_t index, Place* place) {
  return get_descriptor(info, index, "folder", &place->folder) &&
         get_text(info, index + 1, "name", &place->name);
}

bool get_mode(const Napi::CallbackInfo& info, size_t index, mode_t* mode) {
  int number = 0;
  if (!get_integer(info, index, "mode", 0, 07777, &number)) return false;
  *mode = static_cast<mode_t>(number);
  return true;
}

Napi::Value done(Napi::Env env, int result, const char* call, const Place& place) {
  if (result < 0) return throw_errno(env, call, place.name.c_str());
  return env.Undefined();
}

// The descriptor is closed by node:fs, so that it is none of this addon's to look after.
Napi::Value open_at(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Place place;
  int flags = 0;
  mode_t mode = 0;
  if (!get_place(info, 0, &place) || !get_integer(info, 2, "flags", 0, INT32_MAX, &flags) ||
      !get_mode(info, 3, &mode)) {
    return env.Undefined();
  }
  const int fd = openat(place.folder, place.name.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return throw_errno(env, "open", place.name.c_str());
  return Napi::Number::New(env, fd);
}

Napi::Value mkdir_at(const Napi::CallbackInfo& info) {
  Place place;
  mode_t mode = 0;
  if (!get_place(info, 0, &place) || !get_mode(info, 2, &mode)) return info.Env().Undefined();
  return done(info.Env(), mkdirat(place.folder, place.name.c_str(), mode), "mkdir", place);
}

Napi::Value rename_at(const Napi::CallbackInfo& info) {
  Place from;
  Place to;
  if (!get_place(info, 0, &from) || !get_place(info, 2, &to)) return info.Env().Undefined();
  const int result = renameat(from.folder, from.name.c_str(), to.folder, to.name.c_str());
  return done(info.Env(), result, "rename", from);
}

Napi::Value unlink_at(const Napi::CallbackInfo& info) {
  Place place;
  if (!get_place(info, 0, &place)) return info.Env().Undefined();
  return done(info.Env(), unlinkat(place.folder, place.name.c_str(), 0), "unlink", place);
}

Napi::Value rmdir_at(const Napi::CallbackInfo& info) {
  Place place;
  if (!get_place(info, 0, &place)) return info.Env().Undefined();
  const int result = unlinkat(place.folder, place.name.c_str(), AT_REMOVEDIR);
  return done(info.Env(), result, "rmdir", place);
}

Napi::Value symlink_at(const Napi::CallbackInfo& info) {
  Place place;
  std::string text;
  if (!get_text(info, 0, "text", &text) || !get_place(info, 1, &place)) {
    return info.Env().Undefined();
  }
  const int result = symlinkat(text.c_str(), place.folder, place.name.c_str());
  return done(info.Env(), result, "symlink", place);
}

// The file itself, not what it leads to when it is a link.
Napi::Value link_at(const Napi::CallbackInfo& info) {
  Place from;
  Place to;
  if (!get_place(info, 0, &from) || !get_place(info, 2, &to)) return info.Env().Undefined();
  const int result = linkat(from.folder, from.name.c_str(), to.folder, to.name.c_str(), 0);
  return done(info.Env(), result, "link", from);
}

Napi::Value readlink_at(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Place place;
  char text[4096];
  if (!get_place(info, 0, &place)) return env.Undefined();
  const ssize_t size = readlinkat(place.folder, place.name.c_str(), text, sizeof text);
  if (size < 0) return throw_errno(env, "readlink", place.name.c_str());
  return Napi::String::New(env, text, static_cast<size_t>(size));
}

// mode, size, uid, gid, links, device, inode; null: there is none.
Napi::Value stat_at(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Place place;
  struct stat found;
  if (!get_place(info, 0, &place)) return env.Undefined();
  if (fstatat(place.folder, place.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return env.Null();
    return throw_errno(env, "lstat", place.name.c_str());
  }
  Napi::Array list = Napi::Array::New(env);
  const auto add = [&](auto number) {
    list.Set(list.Length(), Napi::Number::New(env, static_cast<double>(number)));
  };
  add(found.st_mode);
  add(found.st_size);
  add(found.st_uid);
  add(found.st_gid);
  add(found.st_nlink);
  add(found.st_dev);
  add(found.st_ino);
  return list;
}

Napi::Value names_at(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int folder = -1;
  if (!get_descriptor(info, 0, "folder", &folder)) return env.Undefined();
  UniqueFd fd(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* dir = fd ? fdopendir(fd.get()) : nullptr;
  if (dir == nullptr) return throw_errno(env, "scandir");
  fd.release();  // closedir's now
  Napi::Array names = Napi::Array::New(env);
  while (const dirent* item = readdir(dir)) {
    const char* name = item->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    names.Set(names.Length(), Napi::String::New(env, name));
    if (names.Length() == kMaxNames) break;
  }
  closedir(dir);
  return names;
}

// False: somebody else has it.
Napi::Value lock_file(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int fd = -1;
  if (!get_descriptor(info, 0, "fd", &fd)) return env.Undefined();
  const int kind = info[1].ToBoolean() ? LOCK_EX : LOCK_SH;
  if (flock(fd, kind | LOCK_NB) == 0) return Napi::Boolean::New(env, true);
  if (errno == EWOULDBLOCK) return Napi::Boolean::New(env, false);
  return throw_errno(env, "flock");
}

class RemoveTree : public PromiseWorker {
 public:
  RemoveTree(Napi::Env env, UniqueFd folder, std::string name)
      : PromiseWorker(env, "RemoveTree"), folder_(std::move(folder)), name_(std::move(name)) {}

 private:
  bool run(Error* error) override { return remove_tree(folder_.get(), name_.c_str(), error); }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }

  UniqueFd folder_;
  std::string name_;
};

// By a descriptor of its own: the caller may close its one meanwhile.
Napi::Value start_remove_tree(const Napi::CallbackInfo& info) {
  Place place;
  if (!get_place(info, 0, &place)) return info.Env().Undefined();
  UniqueFd folder(fcntl(place.folder, F_DUPFD_CLOEXEC, 0));
  if (!folder) return throw_errno(info.Env(), "fcntl");
  return (new RemoveTree(info.Env(), std::move(folder), std::move(place.name)))->start();
}

}  // namespace

void define_at_calls(Napi::Env env, Napi::Object exports) {
  const auto define = [&](const char* name, auto call) {
    exports.Set(name, Napi::Function::New(env, call, name));
  };
  define("openAt", open_at);
  define("mkdirAt", mkdir_at);
  define("renameAt", rename_at);
  define("unlinkAt", unlink_at);
  define("rmdirAt", rmdir_at);
  define("symlinkAt", symlink_at);
  define("linkAt", link_at);
  define("readlinkAt", readlink_at);
  define("statAt", stat_at);
  define("namesAt", names_at);
  define("lockFile", lock_file);
  define("removeTree", start_remove_tree);
}

}  // namespace dfjail
