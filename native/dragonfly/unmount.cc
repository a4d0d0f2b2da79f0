#include "mount.hh"

namespace dfjail {

bool unmount_path(const char* target, int flags) { return ::unmount(target, flags) == 0; }

}  // namespace dfjail
