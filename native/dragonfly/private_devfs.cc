#include "private_devfs.hh"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devfs_rules.hh"
#include "ledger.hh"
#include "mount.hh"

namespace dfjail {
namespace {

constexpr const char* kStep = "mount";
constexpr size_t kRoomForName = 24;  // "/dev/" <pid> "." <n>
constexpr int kMostFolders = 1000;

// A folder of our own; its name is free again when it was left by a dead monitor and recovered.
bool make_folder(int state, const char* state_path, int ledger, char (&path)[kDevfsPath],
                 Error* error) {
  if (mkdirat(state, "dev", 0700) < 0 && errno != EEXIST) return fail(error, kStep, "mkdir", "dev");
  for (int i = 0; i < kMostFolders; i++) {
    off_t before;
    snprintf(path, sizeof path, "%s/dev/%d.%d", state_path, static_cast<int>(getpid()), i);
    if (!write_ledger(ledger, "folder", path, &before, error)) return false;
    if (mkdir(path, 0700) == 0) return true;
    const int number = errno;
    cut_ledger(ledger, before);
    if (number != EEXIST) return fail(error, kStep, "mkdir", path, number);
  }
  return fail(error, kStep, "mkdir", path, EEXIST);
}

bool confirm(int ledger, const char* path, Error* error) {
  struct statfs fs;
  char text[128];
  off_t before;
  if (::statfs(path, &fs) < 0) return fail(error, kStep, "statfs", path);
  const FsId id = fsid_of(fs);
  snprintf(text, sizeof text, "%d %d %s", id.value[0], id.value[1], path);
  return write_ledger(ledger, "mounted", text, &before, error);
}

}  // namespace

bool check_private_devfs(const char* state_path, Error* error) {
  if (strlen(state_path) + kRoomForName < kDevfsPath) return true;
  return fail_with_code(error, kStep, "ERR_JAIL_UNSUPPORTED", state_path,
                        "A devfs can only be prepared where its path has at most 79 bytes: use a "
                        "state directory with a shorter path.");
}

bool mount_private_devfs(int state, const char* state_path, int ledger, char (&offered)[128],
                         Error* error) {
  char path[kDevfsPath];
  char text[128];
  off_t before;
  if (!make_folder(state, state_path, ledger, path, error)) return false;
  if (!write_ledger(ledger, "rules", path, &before, error)) return false;
  if (!devfs_offer_devices(path, error)) return false;
  snprintf(text, sizeof text, "devfs %s", path);
  if (!write_ledger(ledger, "mount", text, &before, error)) return false;
  if (!mount_devfs(path, 0)) {
    const int number = errno;
    cut_ledger(ledger, before);
    return fail(error, kStep, "mount", path, number);
  }
  snprintf(offered, sizeof offered, "%s/%s", path, kOfferedDevices);
  return confirm(ledger, path, error);
}

}  // namespace dfjail
