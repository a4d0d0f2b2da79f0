#include "jail_mounts.hh"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/unique_fd.hh"
#include "ledger.hh"
#include "mount.hh"
#include "private_devfs.hh"

namespace dfjail {
namespace {

constexpr const char* kStep = "mount";
constexpr size_t kMaxPath = 1400;
constexpr const char* kTypes[] = {"", "null", "null", "procfs", "tmpfs"};

const char* type_of(const MountSpec& mount) { return kTypes[static_cast<uint32_t>(mount.type)]; }

// Is every part of it a name, so that walking it never goes up?
bool is_plain_path(const char* path) {
  if (path[0] != '/' || strchr(path, '\n') != nullptr) return false;
  for (const char* part = path; part != nullptr; part = strchr(part + 1, '/')) {
    const char* name = part + 1;
    const size_t n = strcspn(name, "/");
    if (n == 2 && name[0] == '.' && name[1] == '.') return false;
  }
  return true;
}

// One part at a time, never through a symbolic link: what lies in the tree is not ours. A chroot
// would be no help, since nullfs looks its source up from the root of whoever mounts it.
UniqueFd walk(int root, const char* target) {
  UniqueFd at(fcntl(root, F_DUPFD_CLOEXEC, 0));
  for (const char* part = target; at && *part != '\0';) {
    char name[256];
    while (*part == '/') part++;
    const size_t n = strcspn(part, "/");
    if (n == 0) break;
    if (n >= sizeof name) {
      errno = ENAMETOOLONG;
      return UniqueFd();
    }
    memcpy(name, part, n);
    name[n] = '\0';
    at.reset(openat(at.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    // What this kernel says to a link; callers are told what every other one says.
    if (!at && errno == EMLINK) errno = ELOOP;
    part += n;
  }
  return at;
}

int flags_of(const MountSpec& mount) {
  int flags = mount.type == MountType::kNullfs ? 0 : MNT_NOSUID;
  if ((mount.flags & MountSpec::kReadOnly) != 0) flags |= MNT_RDONLY;
  if ((mount.flags & MountSpec::kNoExec) != 0) flags |= MNT_NOEXEC;
  if ((mount.flags & MountSpec::kNoSuid) != 0) flags |= MNT_NOSUID;
  return flags;
}

// The text after `key=` among options joined by commas, or null.
const char* option(const char* options, const char* key) {
  const size_t n = strlen(key);
  for (const char* at = options; at != nullptr && *at != '\0';) {
    if (strncmp(at, key, n) == 0 && at[n] == '=') return at + n + 1;
    at = strchr(at, ',');
    if (at != nullptr) at++;
  }
  return nullptr;
}

uint64_t size_option(const char* options) {
  const char* text = option(options, "size");
  if (text == nullptr) return 0;
  char* unit = nullptr;
  const uint64_t n = strtoull(text, &unit, 10);
  const char c = unit == nullptr ? '\0' : *unit;
  if (c == 'k' || c == 'K') return n << 10;
  if (c == 'm' || c == 'M') return n << 20;
  if (c == 'g' || c == 'G') return n << 30;
  return n;
}

// As mount_tmpfs(8): owner and mode are the mount point's unless said otherwise.
bool do_mount_tmpfs(const struct stat& point, const MountSpec& mount) {
  const char* mode = option(mount.options, "mode");
  const unsigned long bits = mode == nullptr ? point.st_mode & 07777U : strtoul(mode, nullptr, 8);
  return mount_tmpfs(".", flags_of(mount), size_option(mount.options), point.st_uid, point.st_gid,
                     static_cast<mode_t>(bits & 07777U));
}

// In the mount point, which is the working directory.
bool mount_here(const struct stat& point, const MountSpec& mount) {
  switch (mount.type) {
    case MountType::kDevfs:  // its source is the folder of the devfs that was prepared for it
    case MountType::kNullfs:
      return mount_null(".", mount.source, flags_of(mount));
    case MountType::kProcfs:
      return mount_procfs(".", flags_of(mount));
    case MountType::kTmpfs:
      return do_mount_tmpfs(point, mount);
  }
  errno = EINVAL;
  return false;
}

// False when it is too long for the ledger.
bool absolute_path(const char* root_path, const char* target, char (&out)[kMaxPath]) {
  const size_t n = strlen(root_path);
  const int length = snprintf(out, sizeof out, "%s%s", n == 1 ? "" : root_path, target);
  for (size_t end = strlen(out); end > 1 && out[end - 1] == '/'; end--) out[end - 1] = '\0';
  if (length >= 0 && static_cast<size_t>(length) < sizeof out) return true;
  errno = ENAMETOOLONG;
  return false;
}

// The fsid of what lies on the target now, reached without following links.
bool fsid_at(int root, const char* target, FsId* id, char (&type)[16]) {
  const UniqueFd fd = walk(root, target);
  struct statfs fs;
  if (!fd || ::fstatfs(fd.get(), &fs) < 0) return false;
  *id = fsid_of(fs);
  snprintf(type, sizeof type, "%s", fs.f_fstypename);
  return true;
}

bool confirm(int ledger, int root, const MountSpec& mount, const char* absolute, Error* error) {
  FsId id;
  char type[16] = "";
  char text[1500];
  off_t before;
  const bool seen = fsid_at(root, mount.target, &id, type);
  if (!seen || strcmp(type, type_of(mount)) != 0) {
    const int number = seen ? ELOOP : errno;
    unmount_path(absolute, 0);
    return fail(error, kStep, "statfs", mount.target, number);
  }
  snprintf(text, sizeof text, "%d %d %s", id.value[0], id.value[1], absolute);
  return write_ledger(ledger, "mounted", text, &before, error);
}

bool is_root_of_mount(int directory, FsId* id) {
  struct statfs here;
  struct statfs above;
  const UniqueFd parent(openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent || ::fstatfs(directory, &here) < 0 || ::fstatfs(parent.get(), &above) < 0)
    return false;
  *id = fsid_of(here);
  return !(fsid_of(above) == *id);
}

// Two jails that share a root: the kernel refuses what would cover a devfs or a procfs, and lets a
// nullfs or a tmpfs cover another one, which could then not be unmounted.
bool refuse_covering(const Place& place, int target, const MountSpec& mount, Error* error) {
  FsId id;
  uint32_t other = 0;
  if (!is_root_of_mount(target, &id) || !is_noted_mount(place.state, id, &other)) return true;
  if (other == place.id) return true;
  char text[200];
  snprintf(text, sizeof text,
           "Jail %u has a mount of its own at this place: give each jail a root directory of its "
           "own, or leave this mount out, since that one shows here as well.",
           other);
  return fail_with_code(error, kStep, "ERR_JAIL_EXISTS", mount.target, text);
}

bool check_mount(const MountSpec& mount, const char* root_path, Error* error) {
  char absolute[kMaxPath];
  struct stat info;
  if (!is_plain_path(mount.target)) return fail(error, kStep, "mount", mount.target, EINVAL);
  if (!absolute_path(root_path, mount.target, absolute)) {
    return fail(error, kStep, "mount", mount.target);
  }
  if (mount.type != MountType::kNullfs) return true;
  if (mount.source[0] != '/') return fail(error, kStep, "stat", mount.source, EINVAL);
  if (stat(mount.source, &info) < 0) return fail(error, kStep, "stat", mount.source);
  return S_ISDIR(info.st_mode) || fail(error, kStep, "stat", mount.source, ENOTDIR);
}

}  // namespace

bool check_mounts(const JailSpec& spec, const Place& place, Error* error) {
  for (size_t i = 0; i < spec.mount_count; i++) {
    const MountSpec& mount = spec.mounts[i];
    if (!check_mount(mount, place.root_path, error)) return false;
    if (mount.type == MountType::kDevfs && !check_private_devfs(place.state_path, error))
      return false;
  }
  return true;
}

bool mount_in_root(const Place& place, int ledger, const MountSpec& wanted, Error* error) {
  MountSpec mount = wanted;
  char absolute[kMaxPath];
  char announced[1500];
  char devices[128];
  struct stat point;
  off_t before;
  if (!absolute_path(place.root_path, mount.target, absolute)) {
    return fail(error, kStep, "mount", mount.target);
  }
  const UniqueFd target = walk(place.root, mount.target);
  if (!target || fstat(target.get(), &point) < 0) return fail(error, kStep, "open", mount.target);
  if (!refuse_covering(place, target.get(), mount, error)) return false;
  if (mount.type == MountType::kDevfs) {
    if (!mount_private_devfs(place.state, place.state_path, ledger, devices, error)) return false;
    mount.source = devices;
  }
  snprintf(announced, sizeof announced, "%s %s", type_of(mount), absolute);
  if (!write_ledger(ledger, "mount", announced, &before, error)) return false;
  const bool there = fchdir(target.get()) == 0;
  const bool mounted = there && mount_here(point, mount);
  const int number = errno;
  if (chdir("/") < 0) return fail(error, kStep, "chdir", "/");
  if (mounted) return confirm(ledger, place.root, mount, absolute, error);
  cut_ledger(ledger, before);
  return fail(error, kStep, "mount", mount.target, number);
}

}  // namespace dfjail
