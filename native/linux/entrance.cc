#include "entrance.hh"

#include <linux/seccomp.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dfjail {

Entrance& entrance() {
  static Entrance one;
  return one;
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
