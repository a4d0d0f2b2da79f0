#include "file_system.hh"

#include <linux/mount.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dfjail {

FileSystem::FileSystem(const char* type)
    : fd_(static_cast<int>(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC))),
      ok_(static_cast<bool>(fd_)) {
  set("source", type);
}

void FileSystem::set(const char* key, const char* value) {
  if (ok_) ok_ = syscall(SYS_fsconfig, fd_.get(), FSCONFIG_SET_STRING, key, value, 0) == 0;
}

void FileSystem::set(const char* key, unsigned value) {
  char text[24];
  snprintf(text, sizeof text, "%u", value);
  set(key, text);
}

UniqueFd FileSystem::create(unsigned attributes) {
  if (!ok_ || syscall(SYS_fsconfig, fd_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return UniqueFd();
  return UniqueFd(static_cast<int>(syscall(SYS_fsmount, fd_.get(), FSMOUNT_CLOEXEC, attributes)));
}

UniqueFd new_procfs(unsigned attributes) {
  return FileSystem("proc").create(MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC |
                                   attributes);
}

}  // namespace dfjail
