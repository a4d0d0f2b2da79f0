#include "remove_tree.hh"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/unique_fd.hh"

namespace dfjail {
namespace {

constexpr const char* kStep = "root";
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr mode_t kOpen = 0700;
// Of open directories on the way down. What is deeper is moved up, below the top: a tree may be
// deeper than we may have descriptors.
constexpr int kMaxDepth = 32;
// Somebody may make new files as fast as they are removed.
constexpr int kMaxPasses = 1000;

struct Removal {
  dev_t device = 0;
  int top = -1;
  unsigned long moved = 0;
  Error* error = nullptr;
};

// What is gone already is no failure; of several the first is told.
void note(const Removal& removal, const char* call, const char* name) {
  if (errno != ENOENT && !removal.error->failed()) fail(removal.error, kStep, call, name);
}

#ifdef __linux__
// A directory that its owner has closed to itself: by a descriptor that needs no right to it.
UniqueFd open_closed(int at, const char* name) {
  const UniqueFd place(openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", place.get());
  if (!place || chmod(path, kOpen) < 0) return UniqueFd();
  return UniqueFd(openat(place.get(), ".", kFolderFlags));
}
#else
UniqueFd open_closed(int at, const char* name) {
  if (fchmodat(at, name, kOpen, AT_SYMLINK_NOFOLLOW) < 0) return UniqueFd();
  return UniqueFd(openat(at, name, kFolderFlags));
}
#endif

// Ready to be emptied.
UniqueFd open_folder(int at, const char* name, struct stat* info) {
  UniqueFd fd(openat(at, name, kFolderFlags));
  if (!fd && errno == EACCES) fd = open_closed(at, name);
  if (!fd || fstat(fd.get(), info) < 0) return UniqueFd();
  if (geteuid() != 0 && (info->st_mode & kOpen) != kOpen) fchmod(fd.get(), kOpen);
  return fd;
}

bool empty(Removal* removal, int folder, int depth);

bool move_up(Removal* removal, int at, const char* name) {
  char fresh[64];
  snprintf(fresh, sizeof fresh, ".removed-%d-%lu", static_cast<int>(getpid()), removal->moved++);
  if (renameat(at, name, removal->top, fresh) == 0) return true;
  note(*removal, "rename", name);
  return false;
}

bool remove_folder(Removal* removal, int at, const char* name, int depth) {
  if (unlinkat(at, name, AT_REMOVEDIR) == 0) return true;
  struct stat info;
  const UniqueFd fd = open_folder(at, name, &info);
  if (!fd) {
    note(*removal, "open", name);
    return false;
  }
  if (info.st_dev == removal->device) {
    if (depth == kMaxDepth) return move_up(removal, at, name);
    empty(removal, fd.get(), depth + 1);
  }
  if (unlinkat(at, name, AT_REMOVEDIR) == 0) return true;
  note(*removal, "unlink", name);
  return false;
}

bool remove_one(Removal* removal, int at, const char* name, int depth) {
  struct stat info;
  if (fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
    note(*removal, "stat", name);
    return false;
  }
  if (S_ISDIR(info.st_mode)) return remove_folder(removal, at, name, depth);
  if (unlinkat(at, name, 0) == 0) return true;
  note(*removal, "unlink", name);
  return false;
}

bool is_itself(const char* name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

// How many are gone.
size_t pass(Removal* removal, int folder, int depth) {
  UniqueFd fd(openat(folder, ".", kFolderFlags));
  DIR* dir = fd ? fdopendir(fd.get()) : nullptr;
  if (dir == nullptr) {
    note(*removal, "open", ".");
    return 0;
  }
  const int opened = fd.release();  // closedir's now
  size_t gone = 0;
  while (const dirent* item = readdir(dir)) {
    if (!is_itself(item->d_name) && remove_one(removal, opened, item->d_name, depth)) gone++;
  }
  closedir(dir);
  return gone;
}

// A name may be passed over while others are removed.
bool empty(Removal* removal, int folder, int depth) {
  for (int i = 0; i < kMaxPasses; i++) {
    if (pass(removal, folder, depth) == 0) return true;
  }
  return false;
}

}  // namespace

bool remove_tree(int folder, const char* name, Error* error) {
  Removal removal;
  struct stat info;
  const UniqueFd top = open_folder(folder, name, &info);
  if (!top) return errno == ENOENT || fail(error, kStep, "open", name);
  Error first;
  removal.device = info.st_dev;
  removal.top = top.get();
  removal.error = &first;
  empty(&removal, top.get(), 0);
  if (unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
  if (!first.failed()) return fail(error, kStep, "rmdir", name);
  *error = first;
  return false;
}

}  // namespace dfjail
