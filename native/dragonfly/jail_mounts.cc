#include "jail_mounts.hh"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/unique_fd.hh"
#include "devfs_rules.hh"
#include "ledger.hh"
#include "mount.hh"
#include "shared_rules.hh"

namespace dfjail {
namespace {

constexpr const char* kStep = "mount";
constexpr const char* kTypes[] = {"", "null", "devfs", "procfs", "tmpfs"};

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
    part += n;
  }
  return at;
}

int flags_of(const MountSpec& mount) {
  int flags = mount.type == MountType::kDevfs ? 0 : MNT_NOSUID;
  if (mount.type == MountType::kNullfs) flags = 0;
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
bool mount_here(const struct stat& point, const MountSpec& mount, const char* absolute) {
  switch (mount.type) {
    case MountType::kNullfs:
      return mount_null(".", mount.source, flags_of(mount));
    case MountType::kProcfs:
      return mount_procfs(".", flags_of(mount));
    case MountType::kTmpfs:
      return do_mount_tmpfs(point, mount);
    case MountType::kDevfs:
      return mount_devfs(absolute, flags_of(mount));
  }
  errno = EINVAL;
  return false;
}

void absolute_path(const char* root_path, const char* target, char (&out)[2048]) {
  const size_t n = strlen(root_path);
  snprintf(out, sizeof out, "%s%s", n == 1 ? "" : root_path, target);
  for (size_t end = strlen(out); end > 1 && out[end - 1] == '/'; end--) out[end - 1] = '\0';
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

// devfs was mounted by its path: is it where we went, and not where a link sent the kernel?
bool is_in_place(const char* absolute, const FsId& id) {
  struct statfs fs;
  return ::statfs(absolute, &fs) == 0 && fsid_of(fs) == id;
}

bool write_down(int ledger, const char* kind, const char* rest, off_t* before, Error* error) {
  char line[1600];
  const int n = snprintf(line, sizeof line, "%s %s", kind, rest);
  if (n < 0 || static_cast<size_t>(n) >= sizeof line) {
    return fail(error, kStep, "write", rest, ENAMETOOLONG);
  }
  return write_ledger(ledger, line, before, error);
}

bool set_rules(int state, int ledger, const MountSpec& mount, const char* absolute, Error* error) {
  off_t before;
  if (mount.type != MountType::kDevfs) return true;
  return write_down(ledger, "rules", absolute, &before, error) &&
         devfs_set_jail_rules(absolute, error) && share_rules(state, mount.target, error);
}

bool confirm(int ledger, int root, const MountSpec& mount, const char* absolute, Error* error) {
  FsId id;
  char type[16] = "";
  char text[1500];
  off_t before;
  const bool seen = fsid_at(root, mount.target, &id, type);
  const bool right = seen && strcmp(type, type_of(mount)) == 0 &&
                     (mount.type != MountType::kDevfs || is_in_place(absolute, id));
  if (!right) {
    const int number = seen ? ELOOP : errno;
    unmount_path(absolute, 0);
    return fail(error, kStep, "statfs", mount.target, number);
  }
  snprintf(text, sizeof text, "%d %d %s", id.value[0], id.value[1], absolute);
  return write_down(ledger, "mounted", text, &before, error);
}

bool check_mount(const MountSpec& mount, const char* root_path, Error* error) {
  char absolute[2048];
  struct stat info;
  if (!is_plain_path(mount.target)) return fail(error, kStep, "mount", mount.target, EINVAL);
  absolute_path(root_path, mount.target, absolute);
  if (strlen(absolute) > 1400) return fail(error, kStep, "mount", mount.target, ENAMETOOLONG);
  if (mount.type == MountType::kDevfs && strlen(absolute) >= MNAMELEN) {
    return fail_with_code(error, kStep, "ERR_JAIL_UNSUPPORTED", absolute,
                          "The rules that hide devices from a jail work for mount points of at "
                          "most 79 bytes: use a shorter path.");
  }
  if (mount.type != MountType::kNullfs) return true;
  if (mount.source[0] != '/') return fail(error, kStep, "stat", mount.source, EINVAL);
  if (stat(mount.source, &info) < 0) return fail(error, kStep, "stat", mount.source);
  return S_ISDIR(info.st_mode) || fail(error, kStep, "stat", mount.source, ENOTDIR);
}

}  // namespace

bool check_mounts(const JailSpec& spec, const char* root_path, Error* error) {
  for (size_t i = 0; i < spec.mount_count; i++) {
    if (!check_mount(spec.mounts[i], root_path, error)) return false;
  }
  return true;
}

bool mount_in_root(int state, int ledger, int root, const char* root_path, const MountSpec& mount,
                   Error* error) {
  char absolute[2048];
  char announced[1500];
  struct stat point;
  off_t before;
  absolute_path(root_path, mount.target, absolute);
  const UniqueFd target = walk(root, mount.target);
  if (!target || fstat(target.get(), &point) < 0) return fail(error, kStep, "open", mount.target);
  if (!set_rules(state, ledger, mount, absolute, error)) return false;
  snprintf(announced, sizeof announced, "%s %s", type_of(mount), absolute);
  if (!write_down(ledger, "mount", announced, &before, error)) return false;
  const bool there = fchdir(target.get()) == 0;
  const bool mounted = there && mount_here(point, mount, absolute);
  const int number = errno;
  if (chdir("/") < 0) return fail(error, kStep, "chdir", "/");
  if (mounted) return confirm(ledger, root, mount, absolute, error);
  cut_ledger(ledger, before);
  return fail(error, kStep, "mount", mount.target, number);
}

}  // namespace dfjail
