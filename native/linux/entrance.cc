#include "entrance.hh"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dfjail {

namespace {
constexpr int kOwnProgram = 4;  // see native/addon/monitor_program.hh
}

Entrance& entrance() {
  static Entrance one;
  return one;
}

// What is started by a descriptor is called by its number; and where its file cannot be read, a
// user who is not root may neither look at it nor, from within, map its ids.
void begin_monitor() {
  close(kOwnProgram);
  prctl(PR_SET_NAME, "jail-monitor");
  prctl(PR_SET_DUMPABLE, 1);
}

// A process that wakes up takes the processor from the one that has woken it, if it has used less
// of it: spawn() would come back when the monitor has done its part of it. A batch process waits
// until its processor is free, or another one is.
void give_way() {
  const sched_param none = {};
  if (sched_getscheduler(0) != SCHED_OTHER) return;  // somebody knows better
  entrance().gives_way = sched_setscheduler(0, SCHED_BATCH, &none) == 0;
}

int enter_namespaces(int fd, int flags) {
  const Pass& pass = entrance().pass;
  return static_cast<int>(syscall(SYS_setns, fd, flags, 0, 0, pass.half[0], pass.half[1]));
}

bool check_dumps(Dumps* dumps, Error* error) {
  constexpr const char* kSetting = "/proc/sys/fs/suid_dumpable";
  UniqueFd& setting = entrance().dumpable;
  if (!setting) setting.reset(open(kSetting, O_RDONLY | O_CLOEXEC));
  if (!setting) return fail(error, "enter", "open", kSetting);
  if (pread(setting.get(), dumps, 1, 0) != 1) return fail(error, "enter", "pread", kSetting);
  if (*dumps != Dumps::kOpen) return true;
  return fail_with_code(error, "enter", "ERR_JAIL_UNSUPPORTED", "",
                        "With fs.suid_dumpable=1 the monitor's memory could be read from inside a "
                        "jail: sysctl fs.suid_dumpable=0, or 2.");
}

bool confine_monitor(Error* error) {
  Pass& pass = entrance().pass;
  if (getrandom(&pass, sizeof pass, 0) != static_cast<ssize_t>(sizeof pass))
    return fail(error, "ready", "getrandom");
  Filter filter;
  build_common_filter(pass, &filter);
  const sock_fprog program = {filter.length, filter.code};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ||
         fail(error, "ready", "seccomp");
}

}  // namespace dfjail
