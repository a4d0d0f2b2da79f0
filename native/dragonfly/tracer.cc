#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/number.hh"
#include "../common/unique_fd.hh"
#include "../monitor/backend.hh"
#include "mount.hh"
#include "processes.hh"

// Who traces a process. kern.proc goes on naming the parent of old; only procfs tells who it is
// now, and is not mounted everywhere.
namespace dfjail {
namespace {

bool is_procfs(const char* path) {
  struct statfs fs;
  return ::statfs(path, &fs) == 0 && strcmp(fs.f_fstypename, "procfs") == 0;
}

// "NAME PID PARENT …"; the name is the process's own choice, but known.
pid_t parent_in(const char* procfs, const kinfo_proc& process) {
  char path[128];
  char text[512] = "";
  snprintf(path, sizeof path, "%s/%d/status", procfs, process.kp_pid);
  const UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
  if (!fd || read(fd.get(), text, sizeof text - 1) <= 0) return 0;
  const size_t length = strnlen(process.kp_comm, sizeof process.kp_comm);
  if (strncmp(text, process.kp_comm, length) != 0) return 0;
  const char* at = text + length;
  pid_t pid = 0;
  pid_t parent = 0;
  const bool read_both = take_number(&at, &pid) && take_number(&at, &parent);
  return read_both && pid == process.kp_pid ? parent : 0;
}

// A procfs for the moment, in a folder that nobody else knows.
pid_t parent_by_own_procfs(const kinfo_proc& process) {
  char folder[] = "/var/run/dragonfly-jail.XXXXXX";
  if (mkdtemp(folder) == nullptr) return 0;
  pid_t parent = 0;
  if (mount_procfs(folder, MNT_RDONLY)) {
    parent = parent_in(folder, process);
    unmount_path(folder, MNT_FORCE);
  }
  rmdir(folder);
  return parent;
}

}  // namespace

pid_t tracer_of(pid_t pid) {
  ProcessList list;
  Error ignored;
  if (!list.read(&ignored)) return 0;
  for (const kinfo_proc& process : list) {
    if (process.kp_pid != pid || (process.kp_flags & P_TRACED) == 0) continue;
    const pid_t parent = is_procfs("/proc") ? parent_in("/proc", process) : 0;
    return parent != 0 ? parent : parent_by_own_procfs(process);
  }
  return 0;
}

}  // namespace dfjail
