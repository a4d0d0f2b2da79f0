#include "processes.hh"

#include <stdlib.h>

#include <sys/sysctl.h>

#include "sysctl.hh"

namespace dfjail {

ProcessList::~ProcessList() { free(at_); }

bool ProcessList::read(bool threads, pid_t pid, Error* error) {
  Mib mib;
  const int flag = threads ? KERN_PROC_FLAG_LWP : 0;
  mib.at[0] = CTL_KERN;
  mib.at[1] = KERN_PROC;
  mib.at[2] = (pid == 0 ? KERN_PROC_ALL : KERN_PROC_PID) | flag;
  mib.at[3] = static_cast<int>(pid);
  mib.length = pid == 0 ? 3 : 4;
  size_t size = 0;
  void* bytes = sysctl_get_all(mib, 16 * sizeof(kinfo_proc), &size);
  if (bytes == nullptr) return fail(error, "processes", "sysctl", "kern.proc");
  if (size % sizeof(kinfo_proc) !=
      0) {  // records carry no version: this is the only check there is
    free(bytes);
    return fail_with_code(error, "processes", "ERR_JAIL_PROTOCOL", "kern.proc",
                          "The kernel's process records have another size than those that this "
                          "binary was compiled for: build it on this system.");
  }
  free(at_);
  at_ = static_cast<kinfo_proc*>(bytes);
  count_ = size / sizeof(kinfo_proc);
  return true;
}

int count_living(uint32_t jid) {
  ProcessList list;
  Error ignored;
  if (!list.read(&ignored)) return -1;
  int count = 0;
  for (const kinfo_proc& process : list) count += is_in_jail(process, jid) && is_alive(process);
  return count;
}

}  // namespace dfjail
