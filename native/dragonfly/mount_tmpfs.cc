#include "mount.hh"

#include <vfs/tmpfs/tmpfs_mount.h>

namespace dfjail {

bool mount_tmpfs(const char* target, int flags, uint64_t size, uid_t uid, gid_t gid, mode_t mode) {
  tmpfs_mount_info arguments = {};
  arguments.ta_version = 2;
  arguments.ta_size_max = static_cast<off_t>(size);
  arguments.ta_root_uid = uid;
  arguments.ta_root_gid = gid;
  arguments.ta_root_mode = mode;
  return ::mount("tmpfs", target, flags, &arguments) == 0;
}

}  // namespace dfjail
