#include "mounts.hh"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <initializer_list>

#include "../common/steps.hh"
#include "file_system.hh"

// <sys/mount.h> and <linux/mount.h> do not go together in every libc.
extern "C" int mount(const char*, const char*, const char*, unsigned long, const void*);
extern "C" int umount2(const char*, int);

namespace dfjail {
namespace {

constexpr unsigned long kRecursive = 0x4000;   // MS_REC
constexpr unsigned long kPrivate = 1UL << 18;  // MS_PRIVATE
constexpr int kDetach = 2;                     // MNT_DETACH
constexpr unsigned kCloneTree = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
constexpr unsigned kAtRecursive = 0x8000;  // AT_RECURSIVE

UniqueFd open_tree(int at, const char* path, unsigned flags) {
  return UniqueFd(static_cast<int>(syscall(SYS_open_tree, at, path, flags)));
}

bool move_mount(int tree, int target) {
  return syscall(SYS_move_mount, tree, "", target, "",
                 MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0;
}

bool set_attributes(int tree, uint64_t attributes, int user_namespace = -1) {
  mount_attr attr = {};
  attr.attr_set = attributes;
  attr.propagation = kPrivate;
  if (user_namespace >= 0) {
    attr.attr_set |= MOUNT_ATTR_IDMAP;
    attr.userns_fd = static_cast<uint64_t>(user_namespace);
  }
  return syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | kAtRecursive, &attr, sizeof attr) ==
         0;
}

// A place inside the jail, which may be full of traps: no symbolic link is followed, the root is
// never left.
UniqueFd open_target(int root, const char* path, bool directory) {
  open_how how = {};
  how.flags = static_cast<uint64_t>(O_PATH | O_CLOEXEC | (directory ? O_DIRECTORY : 0));
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(syscall(SYS_openat2, root, path, &how, sizeof how)));
}

bool attach(int tree, int root, const MountSpec& mount, bool directory, Error* error) {
  const UniqueFd target = open_target(root, mount.target, directory);
  if (!target) return fail(error, "mount", "openat2", mount.target);
  return move_mount(tree, target.get()) || fail(error, "mount", "move_mount", mount.target);
}

// ---- what no jail may see

bool cover_with_nothing(int mounted, const char* path);

// Wherever a part of the host's file system appears in the jail.
bool cover_hidden(int tree, const HiddenDirectory& hidden, const char* about, Error* error) {
  const char* path = hidden.below(tree);
  return path == nullptr || cover_with_nothing(tree, path) ||
         fail(error, "mount", "move_mount", about);
}

// ---- nullfs

bool no_idmapping(const MountSpec& mount, Error* error) {
  return fail_with_code(
      error, "mount", "ERR_JAIL_UNSUPPORTED", mount.target,
      "The file system of this mount's source cannot be mapped to the jail's user ids: mount it "
      "read-only, or use one that can (ext4, xfs, btrfs, tmpfs from Linux 6.3).");
}

bool mount_nullfs(int root, const MountSpec& mount, const IdMap& ids, const HiddenDirectory& hidden,
                  Error* error) {
  const UniqueFd tree = open_tree(AT_FDCWD, mount.source, kCloneTree | kAtRecursive);
  if (!tree) return fail(error, "mount", "open_tree", mount.source);
  uint64_t attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;
  const bool read_only = (mount.flags & MountSpec::kReadOnly) != 0;
  if (read_only) attributes |= MOUNT_ATTR_RDONLY;
  if ((mount.flags & MountSpec::kNoExec) != 0) attributes |= MOUNT_ATTR_NOEXEC;
  if (!set_attributes(tree.get(), attributes, ids.user_namespace)) {
    if (ids.user_namespace < 0) return fail(error, "mount", "mount_setattr", mount.source);
    // Owners then show as nobody; what everybody may read can be read.
    if (!read_only) return no_idmapping(mount, error);
    if (!set_attributes(tree.get(), attributes))
      return fail(error, "mount", "mount_setattr", mount.source);
  }
  struct stat info;
  if (fstat(tree.get(), &info) < 0) return fail(error, "mount", "fstat", mount.source);
  return attach(tree.get(), root, mount, S_ISDIR(info.st_mode), error) &&
         cover_hidden(tree.get(), hidden, mount.source, error);
}

// ---- file systems of their own

// "size=1m,mode=1777" from validated options.
const char* option(const char* options, const char* key, char* out, size_t size) {
  const size_t n = strlen(key);
  for (const char* at = options; at != nullptr && *at != '\0';) {
    const char* end = strchr(at, ',');
    const size_t length = end == nullptr ? strlen(at) : static_cast<size_t>(end - at);
    if (length > n && strncmp(at, key, n) == 0 && at[n] == '=' && length - n <= size) {
      snprintf(out, size, "%.*s", static_cast<int>(length - n - 1), at + n + 1);
      return out;
    }
    at = end == nullptr ? nullptr : end + 1;
  }
  return nullptr;
}

unsigned attributes_of(const MountSpec& mount) {
  unsigned attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;
  if ((mount.flags & MountSpec::kReadOnly) != 0) attributes |= MOUNT_ATTR_RDONLY;
  if ((mount.flags & MountSpec::kNoExec) != 0) attributes |= MOUNT_ATTR_NOEXEC;
  return attributes;
}

// An owner that the jail cannot have becomes its root.
uid_t owner_in_jail(uid_t owner, const IdMap& ids) {
  constexpr uid_t kIds = 0x10000;
  const bool mapped = ids.user_namespace >= 0 && owner >= ids.base && owner - ids.base < kIds;
  return mapped ? owner : ids.base;
}

// As mount_tmpfs(8): owner and mode are the mount point's unless said otherwise.
bool mount_tmpfs(int root, const MountSpec& mount, const IdMap& ids, Error* error) {
  const UniqueFd target = open_target(root, mount.target, true);
  struct stat info;
  if (!target || fstat(target.get(), &info) < 0)
    return fail(error, "mount", "openat2", mount.target);
  FileSystem fs("tmpfs");
  char text[64];
  if (option(mount.options, "size", text, sizeof text) != nullptr) fs.set("size", text);
  if (option(mount.options, "mode", text, sizeof text) == nullptr) {
    snprintf(text, sizeof text, "%o", info.st_mode & 07777U);
  }
  fs.set("mode", text);
  fs.set("uid", owner_in_jail(info.st_uid, ids));
  fs.set("gid", owner_in_jail(info.st_gid, ids));
  const UniqueFd tree = fs.create(attributes_of(mount));
  if (!tree) return fail(error, "mount", "fsmount", mount.target);
  return move_mount(tree.get(), target.get()) || fail(error, "mount", "move_mount", mount.target);
}

// Over one path of a mount, a read-only view of itself. A path that this kernel does not have needs
// none.
bool freeze(int mounted, const char* path) {
  const UniqueFd target = open_target(mounted, path, false);
  if (!target) return errno == ENOENT;
  const UniqueFd tree = open_tree(mounted, path, kCloneTree);
  return tree && set_attributes(tree.get(), MOUNT_ATTR_RDONLY) &&
         move_mount(tree.get(), target.get());
}

bool cover_with_null(int mounted, const char* path) {
  const UniqueFd target = open_target(mounted, path, false);
  if (!target) return errno == ENOENT;
  const UniqueFd tree = open_tree(AT_FDCWD, "/dev/null", kCloneTree);
  return tree && move_mount(tree.get(), target.get());
}

bool cover_with_nothing(int mounted, const char* path) {
  const UniqueFd target = open_target(mounted, path, true);
  if (!target) return errno == ENOENT;  // on a mount that is not part of this one
  FileSystem fs("tmpfs");
  fs.set("mode", "0");
  const UniqueFd tree =
      fs.create(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  return tree && move_mount(tree.get(), target.get());
}

bool mask_procfs(int proc) {
  // The network's settings could else be changed by jailed root, among them the one that lets any
  // address be bound.
  for (const char* path : {"sys", "irq", "bus", "fs", "sysrq-trigger"}) {
    if (!freeze(proc, path)) return false;
  }
  for (const char* path : {"kcore", "keys", "timer_list", "sched_debug", "latency_stats"}) {
    if (!cover_with_null(proc, path)) return false;
  }
  return true;
}

bool mount_procfs(int root, const MountSpec& mount, Error* error) {
  const UniqueFd tree = new_procfs(attributes_of(mount) & MOUNT_ATTR_RDONLY);
  if (!tree) return fail(error, "mount", "fsmount", mount.target);
  if (!attach(tree.get(), root, mount, true, error)) return false;
  return mask_procfs(tree.get()) || fail(error, "mount", "move_mount", mount.target);
}

// ---- devfs

struct DeviceNode {
  const char* name;
  unsigned major;
  unsigned minor;
};

constexpr DeviceNode kNodes[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                                 {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

// As root the nodes are made; without that right, the host's own are shown.
bool make_node(int dev, const DeviceNode& node, const IdMap& ids) {
  if (ids.user_namespace >= 0) {
    return mknodat(dev, node.name, S_IFCHR | 0666, makedev(node.major, node.minor)) == 0 &&
           fchmodat(dev, node.name, 0666, 0) == 0 &&
           fchownat(dev, node.name, ids.base, ids.base, 0) == 0;
  }
  const UniqueFd file(openat(dev, node.name, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
  char path[32];
  snprintf(path, sizeof path, "/dev/%s", node.name);
  const UniqueFd tree = open_tree(AT_FDCWD, path, kCloneTree);
  return file && tree && move_mount(tree.get(), file.get());
}

bool make_links(int dev, const IdMap& ids) {
  const char* const links[][2] = {{"/proc/self/fd", "fd"},
                                  {"/proc/self/fd/0", "stdin"},
                                  {"/proc/self/fd/1", "stdout"},
                                  {"/proc/self/fd/2", "stderr"},
                                  {"pts/ptmx", "ptmx"}};
  for (const auto& link : links) {
    if (symlinkat(link[0], dev, link[1]) < 0) return false;
    if (fchownat(dev, link[1], ids.base, ids.base, AT_SYMLINK_NOFOLLOW) < 0) return false;
  }
  return true;
}

bool make_folder(int dev, const char* name, mode_t mode, const IdMap& ids) {
  return mkdirat(dev, name, mode) == 0 && fchmodat(dev, name, mode, 0) == 0 &&
         fchownat(dev, name, ids.base, ids.base, 0) == 0;
}

bool mount_terminals(int dev) {
  FileSystem fs("devpts");
  fs.set("mode", "620");
  fs.set("ptmxmode", "666");
  const UniqueFd tree = fs.create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  const UniqueFd target(openat(dev, "pts", O_PATH | O_DIRECTORY | O_CLOEXEC));
  return tree && target && move_mount(tree.get(), target.get());
}

bool mount_devfs(int root, const MountSpec& mount, const IdMap& ids, Error* error) {
  FileSystem fs("tmpfs");
  fs.set("mode", "755");
  fs.set("size", "1m");
  fs.set("uid", ids.base);
  fs.set("gid", ids.base);
  const UniqueFd tree = fs.create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  if (!tree) return fail(error, "mount", "fsmount", mount.target);
  if (!attach(tree.get(), root, mount, true, error)) return false;
  for (const DeviceNode& node : kNodes) {
    if (!make_node(tree.get(), node, ids)) return fail(error, "mount", "mknod", mount.target);
  }
  if (!make_folder(tree.get(), "pts", 0755, ids) || !make_folder(tree.get(), "shm", 01777, ids)) {
    return fail(error, "mount", "mkdir", mount.target);
  }
  if (!make_links(tree.get(), ids)) return fail(error, "mount", "symlink", mount.target);
  return mount_terminals(tree.get()) || fail(error, "mount", "fsmount", mount.target);
}

bool mount_one(int root, const MountSpec& mount, const IdMap& ids, const HiddenDirectory& hidden,
               Error* error) {
  switch (mount.type) {
    case MountType::kNullfs:
      return mount_nullfs(root, mount, ids, hidden, error);
    case MountType::kDevfs:
      return mount_devfs(root, mount, ids, error);
    case MountType::kProcfs:
      return mount_procfs(root, mount, error);
    case MountType::kTmpfs:
      return mount_tmpfs(root, mount, ids, error);
  }
  return fail(error, "mount", "mount", mount.target, EINVAL);
}

}  // namespace

bool clone_root(int root, const char* path, const IdMap& ids, UniqueFd* tree, Error* error) {
  *tree = open_tree(root, "", kCloneTree | kAtRecursive | AT_EMPTY_PATH);
  if (!*tree) return fail(error, "root", "open_tree", path);
  if (set_attributes(tree->get(), MOUNT_ATTR_NODEV, ids.user_namespace)) return true;
  if (ids.user_namespace < 0 || errno != EINVAL) return fail(error, "root", "mount_setattr", path);
  return fail_with_code(error, "root", "ERR_JAIL_UNSUPPORTED", path,
                        "The file system of this path cannot be mapped to the jail's user ids: use "
                        "one that can (ext4, "
                        "xfs, btrfs, tmpfs from Linux 6.3).");
}

bool build_root(int tree, const JailSpec& spec, const IdMap& ids, const HiddenDirectory& hidden,
                Error* error) {
  umask(0);
  if (mount(nullptr, "/", nullptr, kRecursive | kPrivate, nullptr) < 0)
    return fail(error, "root", "mount", "/");
  const UniqueFd here(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!here || !move_mount(tree, here.get())) return fail(error, "root", "move_mount", spec.path);
  for (size_t i = 0; i < spec.mount_count; i++) {
    if (!mount_one(tree, spec.mounts[i], ids, hidden, error)) return false;
    step_done("mount");
  }
  if (fchdir(tree) < 0) return fail(error, "pivot", "fchdir", spec.path);
  if (syscall(SYS_pivot_root, ".", ".") < 0) return fail(error, "pivot", "pivot_root", spec.path);
  if (umount2(".", kDetach) < 0) return fail(error, "pivot", "umount2", "/");
  if (chdir("/") < 0) return fail(error, "pivot", "chdir", "/");
  step_done("pivot");
  return true;
}

}  // namespace dfjail
