#include <errno.h>
#include <string.h>

#include "mount.hh"

namespace dfjail {
namespace {

constexpr int kJailFlag = 0x02;  // DEVFS_MNT_JAIL, which <sys/devfs.h> gives to the kernel only

struct DevfsArguments {
  int flags;
};

}  // namespace

bool mount_devfs(const char* target, int flags) {
  if (target[0] != '/' || strlen(target) >= MNAMELEN) {
    errno = ENAMETOOLONG;
    return false;
  }
  DevfsArguments arguments = {kJailFlag};
  return ::mount("devfs", target, flags, &arguments) == 0;
}

}  // namespace dfjail
