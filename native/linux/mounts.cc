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
#include "mount_table.hh"

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

// ---- nullfs

bool no_idmapping(const MountSpec& mount, Error* error) {
  return fail_with_code(
      error, "mount", "ERR_JAIL_UNSUPPORTED", mount.target,
      "The file system of this mount's source cannot be mapped to the jail's user ids: mount it "
      "read-only, or use one that can (ext4, xfs, btrfs, tmpfs from Linux 6.3).");
}

bool no_host_procfs(const char* step, const char* path, Error* error) {
  return fail_with_code(error, step, "ERR_JAIL_UNSUPPORTED", path,
                        "This is a procfs of the host: it shows processes that are not the jail's. "
                        "Use a mount of the type procfs, which makes the jail one of its own.");
}

bool set_source_attributes(int tree, const MountSpec& mount, const IdMap& ids, Error* error) {
  uint64_t attributes = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;
  const bool read_only = (mount.flags & MountSpec::kReadOnly) != 0;
  if (read_only) attributes |= MOUNT_ATTR_RDONLY;
  if ((mount.flags & MountSpec::kNoExec) != 0) attributes |= MOUNT_ATTR_NOEXEC;
  if (set_attributes(tree, attributes, ids.user_namespace)) return true;
  if (ids.user_namespace < 0) return fail(error, "mount", "mount_setattr", mount.source);
  // Owners then show as nobody; what everybody may read can be read.
  if (!read_only) return no_idmapping(mount, error);
  return set_attributes(tree, attributes) || fail(error, "mount", "mount_setattr", mount.source);
}

// The trees of the host that a jail is given, each at the index of its mount. They are copied
// before anything is mounted: afterwards "/" is the jail's own root.
bool clone_sources(const JailSpec& spec, const IdMap& ids, UniqueFd* trees, Error* error) {
  for (size_t i = 0; i < spec.mount_count; i++) {
    const MountSpec& mount = spec.mounts[i];
    if (mount.type != MountType::kNullfs) continue;
    trees[i] = open_tree(AT_FDCWD, mount.source, kCloneTree | kAtRecursive);
    if (!trees[i]) return fail(error, "mount", "open_tree", mount.source);
    if (!set_source_attributes(trees[i].get(), mount, ids, error)) return false;
  }
  return true;
}

bool mount_nullfs(int root, const MountSpec& mount, int tree, Error* error) {
  struct stat info;
  if (fstat(tree, &info) < 0) return fail(error, "mount", "fstat", mount.source);
  return attach(tree, root, mount, S_ISDIR(info.st_mode), error);
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

// Every file takes memory of the kernel's, empty ones too, and by itself the kernel would allow as
// many as for half of the machine's memory.
unsigned files_for(uint64_t size) {
  constexpr uint64_t kPage = 4096;
  constexpr uint64_t kFew = 1024;
  constexpr uint64_t kMany = 1U << 30;
  const uint64_t files = size / kPage;
  return static_cast<unsigned>(files < kFew ? kFew : (files > kMany ? kMany : files));
}

// As mount_tmpfs(8): owner and mode are the mount point's unless said otherwise.
bool mount_tmpfs(int root, const MountSpec& mount, const IdMap& ids, Error* error) {
  const UniqueFd target = open_target(root, mount.target, true);
  struct stat info;
  if (!target || fstat(target.get(), &info) < 0)
    return fail(error, "mount", "openat2", mount.target);
  FileSystem fs("tmpfs");
  char text[64];
  if (option(mount.options, "size", text, sizeof text) != nullptr) {
    fs.set("size", text);
    fs.set("nr_inodes", files_for(strtoull(text, nullptr, 10)));
  }
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
  fs.set("nr_inodes", 1U);
  const UniqueFd tree =
      fs.create(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  return tree && move_mount(tree.get(), target.get());
}

// The network's settings could else be changed by jailed root, among them the one that lets any
// address be bound.
constexpr const char* kFrozen[] = {"sys", "irq", "bus", "fs", "sysrq-trigger"};
// What tells of the machine: what moby, runc or systemd-nspawn hide, and how it was started.
constexpr const char* kHiddenFiles[] = {"kcore",       "keys",      "timer_list", "timer_stats",
                                        "sched_debug", "kallsyms",  "interrupts", "latency_stats",
                                        "cmdline",     "bootconfig"};
constexpr const char* kHiddenFolders[] = {"acpi", "asound", "scsi"};

bool mask_procfs(int proc) {
  for (const char* path : kFrozen) {
    if (!freeze(proc, path)) return false;
  }
  for (const char* path : kHiddenFiles) {
    if (!cover_with_null(proc, path)) return false;
  }
  for (const char* path : kHiddenFolders) {
    if (!cover_with_nothing(proc, path)) return false;
  }
  return true;
}

// Those that show the jail's own processes.
class OwnProcfs {
 public:
  bool add(int tree) {
    struct stat info;
    if (fstat(tree, &info) < 0) return false;
    devices_[count_++] = info.st_dev;
    return true;
  }
  bool has(dev_t device) const {
    for (size_t i = 0; i < count_; i++) {
      if (devices_[i] == device) return true;
    }
    return false;
  }

 private:
  dev_t devices_[kMaxMounts];
  size_t count_ = 0;
};

bool mount_procfs(int root, const MountSpec& mount, OwnProcfs* own, Error* error) {
  const UniqueFd tree = new_procfs(attributes_of(mount) & MOUNT_ATTR_RDONLY);
  if (!tree || !own->add(tree.get())) return fail(error, "mount", "fsmount", mount.target);
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

// Of the few thousand that the kernel has for everybody.
constexpr unsigned kMaxTerminals = 256;

bool mount_terminals(int dev) {
  FileSystem fs("devpts");
  fs.set("mode", "620");
  fs.set("ptmxmode", "666");
  fs.set("max", kMaxTerminals);
  const UniqueFd tree = fs.create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  const UniqueFd target(openat(dev, "pts", O_PATH | O_DIRECTORY | O_CLOEXEC));
  return tree && target && move_mount(tree.get(), target.get());
}

bool mount_devfs(int root, const MountSpec& mount, const IdMap& ids, Error* error) {
  FileSystem fs("tmpfs");
  fs.set("mode", "755");
  fs.set("size", "1m");
  fs.set("nr_inodes", files_for(1U << 20));
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

// ---- other processes' procfs

// It comes with a tree of the host's: with "/" as an ordinary user's root, with a source in which a
// root was prepared for chroot(8).
struct HostProcfs {
  int root;
  const JailSpec* spec;
  const OwnProcfs* own;
  UniqueFd null;  // what covers files
  bool used;      // it is mounted, and to be copied
  Error* error;
};

bool cover_file(HostProcfs* covers, int target) {
  const unsigned kItself = kCloneTree | AT_EMPTY_PATH;
  const UniqueFd copy = covers->used ? open_tree(covers->null.get(), "", kItself) : UniqueFd();
  const int tree = covers->used ? copy.get() : covers->null.get();
  covers->used = true;
  return tree >= 0 && move_mount(tree, target);
}

// Asked for by name, an empty directory would be no answer.
bool refuse_if_asked_for(const JailSpec& spec, const char* target, Error* error) {
  if (strcmp(target, "/") == 0) return no_host_procfs("root", spec.path, error);
  for (size_t i = 0; i < spec.mount_count; i++) {
    const MountSpec& mount = spec.mounts[i];
    if (mount.type == MountType::kNullfs && strcmp(mount.target, target) == 0)
      return no_host_procfs("mount", mount.source, error);
  }
  return true;
}

// What lies below something else cannot be reached, and needs no cover.
bool cover_one(HostProcfs* covers, const MountLine& row) {
  if (strcmp(row.type, "proc") != 0 || covers->own->has(row.number())) return true;
  const UniqueFd target = open_target(covers->root, row.target, false);
  if (!target && errno == ENOENT) return true;
  struct stat info;
  if (!target || fstat(target.get(), &info) < 0)
    return no_host_procfs("mount", row.target, covers->error);
  if (info.st_dev != row.number()) return true;
  if (!refuse_if_asked_for(*covers->spec, row.target, covers->error)) return false;
  const bool covered = S_ISDIR(info.st_mode) ? cover_with_nothing(covers->root, row.target)
                                             : cover_file(covers, target.get());
  return covered || no_host_procfs("mount", row.target, covers->error);
}

bool cover_host_procfs(int procfs, HostProcfs* covers) {
  MountTable mounts;
  MountLine line;
  if (!mounts.read(procfs)) return fail(covers->error, "mount", "read", "/proc/self/mountinfo");
  for (size_t at = 0; mounts.next(&at, &line);) {
    if (!cover_one(covers, line)) return false;
  }
  return true;
}

struct Mounting {
  const JailSpec* spec;
  const IdMap* ids;
  UniqueFd sources[kMaxMounts];  // of nullfs
  OwnProcfs procfs;
};

bool mount_one(int root, size_t i, Mounting* m, Error* error) {
  const MountSpec& mount = m->spec->mounts[i];
  switch (mount.type) {
    case MountType::kNullfs:
      return mount_nullfs(root, mount, m->sources[i].get(), error);
    case MountType::kDevfs:
      return mount_devfs(root, mount, *m->ids, error);
    case MountType::kProcfs:
      return mount_procfs(root, mount, &m->procfs, error);
    case MountType::kTmpfs:
      return mount_tmpfs(root, mount, *m->ids, error);
  }
  return fail(error, "mount", "mount", mount.target, EINVAL);
}

bool mount_all(int tree, Mounting* m, Error* error) {
  for (size_t i = 0; i < m->spec->mount_count; i++) {
    if (!mount_one(tree, i, m, error)) return false;
    m->sources[i].reset();
    step_done("mount");
  }
  return true;
}

bool pivot(int tree, const char* path, Error* error) {
  if (fchdir(tree) < 0) return fail(error, "pivot", "fchdir", path);
  if (syscall(SYS_pivot_root, ".", ".") < 0) return fail(error, "pivot", "pivot_root", path);
  if (umount2(".", kDetach) < 0) return fail(error, "pivot", "umount2", "/");
  if (chdir("/") < 0) return fail(error, "pivot", "chdir", "/");
  return true;
}

}  // namespace

bool clone_root(int root, const JailSpec& spec, const IdMap& ids, UniqueFd* tree, Error* error) {
  const char* path = spec.path;
  *tree = open_tree(root, "", kCloneTree | kAtRecursive | AT_EMPTY_PATH);
  if (!*tree) return fail(error, "root", "open_tree", path);
  // With what the host has mounted below it, but not with what the jail gets of its own.
  const bool read_only = (spec.flags & JailSpec::kReadOnlyRoot) != 0;
  const uint64_t attributes = MOUNT_ATTR_NODEV | (read_only ? MOUNT_ATTR_RDONLY : 0);
  if (set_attributes(tree->get(), attributes, ids.user_namespace)) return true;
  if (ids.user_namespace < 0 || errno != EINVAL) return fail(error, "root", "mount_setattr", path);
  return fail_with_code(error, "root", "ERR_JAIL_UNSUPPORTED", path,
                        "The file system of this path cannot be mapped to the jail's user ids: use "
                        "one that can (ext4, "
                        "xfs, btrfs, tmpfs from Linux 6.3).");
}

bool build_root(int tree, const JailSpec& spec, const IdMap& ids, const HiddenDirectories& hidden,
                Error* error) {
  umask(0);
  if (mount(nullptr, "/", nullptr, kRecursive | kPrivate, nullptr) < 0)
    return fail(error, "root", "mount", "/");
  Mounting m = {&spec, &ids, {}, {}};
  const UniqueFd host_procfs(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!clone_sources(spec, ids, m.sources, error)) return false;
  HostProcfs covers = {tree,  &spec, &m.procfs, open_tree(AT_FDCWD, "/dev/null", kCloneTree),
                       false, error};
  const UniqueFd here(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!here || !move_mount(tree, here.get())) return fail(error, "root", "move_mount", spec.path);
  if (!mount_all(tree, &m, error) || !hidden.cover(tree, error)) return false;
  if (!pivot(tree, spec.path, error) || !cover_host_procfs(host_procfs.get(), &covers))
    return false;
  step_done("pivot");
  return true;
}

}  // namespace dfjail
