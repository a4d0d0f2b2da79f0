#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sys/param.h>

#include <sys/mount.h>

// File systems for jails, by mount(2) itself. All return false with errno set. `target` is looked
// up by the kernel, which follows symbolic links: whoever mounts in a tree that is not his own goes
// there first and passes ".".
namespace dfjail {

bool mount_null(const char* target, const char* source, int flags);
// With the jail flag: only rules made for jails count. Rules match the name by which it was
// mounted, so `target` has to be absolute and to fit into a statfs record.
bool mount_devfs(const char* target, int flags);
bool mount_procfs(const char* target, int flags);
// size: bytes, 0 for the system's default. Owner and mode are taken literally.
bool mount_tmpfs(const char* target, int flags, uint64_t size, uid_t uid, gid_t gid, mode_t mode);
bool unmount_path(const char* target, int flags);

struct FsId {
  int32_t value[2] = {0, 0};
  bool operator==(const FsId& other) const {
    return value[0] == other.value[0] && value[1] == other.value[1];
  }
};

inline FsId fsid_of(const struct statfs& fs) {
  FsId id;
  id.value[0] = fs.f_fsid.val[0];
  id.value[1] = fs.f_fsid.val[1];
  return id;
}

// getfsstat(2): the mounts that the caller's root contains, in the order in which they were made,
// with their paths as the caller sees them, cut at 79 bytes.
class MountList {
 public:
  MountList() = default;
  ~MountList();
  MountList(const MountList&) = delete;
  MountList& operator=(const MountList&) = delete;
  bool read();
  size_t size() const { return count_; }
  const struct statfs& operator[](size_t i) const { return at_[i]; }

 private:
  struct statfs* at_ = nullptr;
  size_t count_ = 0;
};

}  // namespace dfjail
