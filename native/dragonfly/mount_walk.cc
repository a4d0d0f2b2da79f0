#include "mount_walk.hh"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.hh"

namespace dfjail {
namespace {

constexpr int kPatience = 10'000;  // milliseconds
constexpr size_t kLongestShown = MNAMELEN - 1;
constexpr int kDeepest = 256;
constexpr size_t kMostCandidates = 4096;
constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

enum Status { kFound = 0, kNotFound = 1 };

struct Walk {
  const char* root;  // null: where the child is already
  FsId id;
};

// Not while a directory is open: the kernel allows the second chroot only without one.
bool go_down(const char* path) { return chroot(path) == 0 && chdir("/") == 0; }

bool is_root_of(int fd, const FsId& id) {
  struct statfs fs;
  return fd >= 0 && ::fstatfs(fd, &fs) == 0 && fsid_of(fs) == id;
}

// Hands it out when it is the one.
bool offer(int channel, const char* path, const FsId& id) {
  const UniqueFd fd(open(path, kDirectory));
  return is_root_of(fd.get(), id) && send_answer(channel, 0, fd.get());
}

// The path of the mount as this process sees it; false when it does not see it.
bool shown_path(const FsId& id, char (&path)[MNAMELEN]) {
  MountList mounts;
  if (!mounts.read()) return false;
  for (size_t i = mounts.size(); i > 0; i--) {
    if (!(fsid_of(mounts[i - 1]) == id)) continue;
    memcpy(path, mounts[i - 1].f_mntonname, sizeof path);
    path[sizeof path - 1] = '\0';
    return path[0] == '/';
  }
  return false;
}

int search(int channel, const FsId& id, int depth);

// Which of the folders with such a name holds it is seen from within only.
bool is_below(int channel, const char* name, const FsId& id, int depth) {
  const pid_t child = fork();
  if (child == 0) _exit(go_down(name) ? search(channel, id, depth) : kNotFound);
  int status = 0;
  if (child < 0) return false;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == kFound;
}

// Names in the root directory that begin so; one NUL behind each, two behind the last.
char* names_like(const char* begin, size_t length) {
  DIR* dir = opendir("/");
  char* names = static_cast<char*>(calloc(kMostCandidates, NAME_MAX + 2));
  size_t used = 0;
  for (size_t count = 0; dir != nullptr && names != nullptr && count < kMostCandidates - 1;) {
    const dirent* item = readdir(dir);
    if (item == nullptr) break;
    if (strncmp(item->d_name, begin, length) != 0) continue;
    const size_t size = strlen(item->d_name) + 1;
    memcpy(names + used, item->d_name, size);
    used += size;
    count++;
  }
  if (dir != nullptr) closedir(dir);
  return names;
}

// One name alone is longer than what is shown of the path.
int search_names(int channel, const char* begin, const FsId& id, int depth) {
  char* names = names_like(begin, strlen(begin));
  int status = kNotFound;
  for (const char* name = names; status == kNotFound && name != nullptr && *name != '\0';) {
    const bool found = offer(channel, name, id) || is_below(channel, name, id, depth + 1);
    if (found) status = kFound;
    name += strlen(name) + 1;
  }
  free(names);
  return status;
}

// From the root directory of this process: as far as the shown path reaches, then on from there.
int search(int channel, const FsId& id, int depth) {
  for (; depth < kDeepest; depth++) {
    char path[MNAMELEN];
    if (!shown_path(id, path)) return kNotFound;
    if (strlen(path) < kLongestShown) return offer(channel, path, id) ? kFound : kNotFound;
    char* last = strrchr(path, '/');
    if (last == path) return search_names(channel, path + 1, id, depth);
    *last = '\0';  // the last name may be cut
    if (!go_down(path)) return kNotFound;
  }
  return kNotFound;
}

int find_mount(void* context, int channel) {
  const Walk* walk = static_cast<Walk*>(context);
  if (walk->root == nullptr) return search(channel, walk->id, 0);
  // What covers the root itself is its root then.
  if (offer(channel, walk->root, walk->id)) return kFound;
  return go_down(walk->root) ? search(channel, walk->id, 0) : kNotFound;
}

int unmount_here(void* context, int) {
  const int flags = *static_cast<const int*>(context);
  if (fchdir(kKept) < 0) return 1;
  close(kKept);
  return unmount_path(".", flags) ? 0 : 1;
}

}  // namespace

UniqueFd open_mount(uint32_t jid, const char* root, const FsId& id) {
  Walk walk = {jid == 0 ? root : nullptr, id};
  Answer answer;
  run_errand(jid, find_mount, &walk, kPatience, &answer);
  // A child of the child may have sent it.
  if (!is_root_of(answer.passed.get(), id)) return UniqueFd();
  return static_cast<UniqueFd&&>(answer.passed);
}

bool unmount_open(const UniqueFd& directory, uint32_t jid, int flags) {
  if (!directory) return false;
  Answer answer;
  return run_errand_with(directory.get(), jid, unmount_here, &flags, kPatience, &answer) &&
         answer.status == 0;
}

}  // namespace dfjail
