#include "hidden_directory.hh"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/unique_fd.hh"
#include "file_system.hh"
#include "mount_table.hh"

namespace dfjail {
namespace {

constexpr int kFolder = O_PATH | O_DIRECTORY | O_CLOEXEC;
constexpr size_t kPath = size_t{4096} * 2;

// One of the directories, as its file system knows it.
struct Place {
  const char* path = "";  // the host's
  char device[32] = "";
  char within[kPath] = "";  // its path in the file system
};

// What comes after a directory in a path, "" for itself; null: the path is not below it.
const char* rest_of(const char* path, const char* directory) {
  const size_t n = strcmp(directory, "/") == 0 ? 0 : strlen(directory);
  if (strncmp(path, directory, n) != 0) return nullptr;
  return path[n] == '\0' || path[n] == '/' ? path + n : nullptr;
}

bool join(char (&out)[kPath], const char* directory, const char* rest) {
  const char* start = strcmp(directory, "/") == 0 && rest[0] != '\0' ? "" : directory;
  return snprintf(out, sizeof out, "%s%s", start, rest) < static_cast<int>(sizeof out);
}

// False: there is none (any more), or this kernel does not tell where.
bool locate(const MountTable& mounts, const char* path, Place* place) {
  const UniqueFd fd(open(path, kFolder | O_NOFOLLOW));
  MountLine line;
  if (!fd || !mounts.find(mount_of(fd.get()), &line)) return false;
  const char* rest = rest_of(path, line.target);
  if (rest == nullptr) return false;
  place->path = path;
  snprintf(place->device, sizeof place->device, "%s", line.device);
  return join(place->within, line.root, rest);
}

bool same_file(int one, const char* path) {
  struct stat here;
  struct stat there;
  return fstat(one, &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev &&
         here.st_ino == there.st_ino;
}

// A place of the jail's tree, which may be full of traps.
UniqueFd open_in(int tree, const char* path) {
  open_how how = {};
  how.flags = static_cast<uint64_t>(O_PATH | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(syscall(SYS_openat2, tree, path, &how, sizeof how)));
}

bool is_folder(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
}

bool move_over(const UniqueFd& mount, int target) {
  return mount && syscall(SYS_move_mount, mount.get(), "", target, "",
                          MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0;
}

bool cover_with_nothing(int target) {
  FileSystem fs("tmpfs");
  fs.set("mode", "0");
  return move_over(
      fs.create(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC),
      target);
}

bool cover_file(int target) {
  const UniqueFd tree(static_cast<int>(
      syscall(SYS_open_tree, AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  return move_over(tree, target);
}

// `seen` is a path of the jail's, where `hidden`, one of the host's, may show: the table has the
// mounts of both. One that is covered already, or stands there under another mount, is not it.
bool cover_at(int tree, const char* seen, const char* hidden, Error* error) {
  const UniqueFd target = open_in(tree, seen);
  if (!target || !same_file(target.get(), hidden)) return true;
  const bool done =
      is_folder(target.get()) ? cover_with_nothing(target.get()) : cover_file(target.get());
  return done || fail(error, "mount", "move_mount", seen);
}

bool cover_in_mount(int tree, const MountLine& mount, const Place& place, Error* error) {
  char seen[kPath];
  char hidden[kPath];
  if (strcmp(mount.device, place.device) != 0) return true;
  const char* rest = rest_of(place.within, mount.root);
  if (rest != nullptr) {
    return !join(seen, mount.target, rest) || cover_at(tree, seen, place.path, error);
  }
  // A part of it that is mounted by itself; a jail's own root may be such a part.
  rest = rest_of(mount.root, place.within);
  if (rest == nullptr || strcmp(mount.target, "/") == 0) return true;
  return !join(hidden, place.path, rest) || cover_at(tree, mount.target, hidden, error);
}

}  // namespace

bool HiddenDirectories::add(const char* path, Error* error) {
  const UniqueFd fd(open(path, kFolder));
  if (!fd) return fail(error, "root", "open", path);
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd.get());
  Directory& directory = directories_[count_];
  const ssize_t n = readlink(link, directory.path, sizeof directory.path - 1);
  if (n <= 0) return fail(error, "root", "readlink", path);
  directory.path[n] = '\0';
  count_++;
  return true;
}

void HiddenDirectories::add_temporary_roots(uid_t user) {
  char path[48];
  Error ignored;
  snprintf(path, sizeof path, "/tmp/dfjail-roots-%u", static_cast<unsigned>(user));
  mkdir(path, 0700);
  add(path, &ignored);
}

bool HiddenDirectories::cover(int tree, Error* error) const {
  MountTable mounts;
  if (!mounts.read()) return fail(error, "mount", "open", "/proc/self/mountinfo");
  for (size_t i = 0; i < count_; i++) {
    Place place;
    if (!locate(mounts, directories_[i].path, &place)) continue;
    MountLine mount;
    for (size_t at = 0; mounts.next(&at, &mount);) {
      if (!cover_in_mount(tree, mount, place, error)) return false;
    }
  }
  return true;
}

}  // namespace dfjail
