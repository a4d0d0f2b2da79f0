#include "mount.hh"

namespace dfjail {

bool mount_procfs(const char* target, int flags) {
  return ::mount("procfs", target, flags, nullptr) == 0;
}

}  // namespace dfjail
