#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.hh"

namespace dfjail {
namespace {

// False when it was gone already. The last processes leave a cgroup some time after they have died.
bool remove_folder(const char* path, Error* error) {
  constexpr int kTries = 100;
  const timespec pause = {0, 10'000'000};
  for (int i = 0; i < kTries; i++) {
    if (rmdir(path) == 0) return true;
    if (errno == ENOENT) return false;
    if (errno != EBUSY) break;
    nanosleep(&pause, nullptr);
  }
  return fail(error, "limits", "rmdir", path);
}

// Unless another jail uses it.
void remove_common_folder(char* path) {
  char* slash = strrchr(path, '/');
  if (slash == nullptr) return;
  *slash = '\0';
  rmdir(path);
}

}  // namespace

void remove_cgroups(const Entry& entry, CgroupRemoved removed, void* context) {
  char list[sizeof entry.cgroup];
  snprintf(list, sizeof list, "%s", entry.cgroup);
  char* rest = nullptr;
  for (char* path = strtok_r(list, " ", &rest); path != nullptr;
       path = strtok_r(nullptr, " ", &rest)) {
    Error error;
    const bool was_there = remove_folder(path, &error);
    if (was_there || error.failed()) removed(context, path, error);
    if (was_there) remove_common_folder(path);
  }
}

}  // namespace dfjail
