// Pid 1 of a jail on Linux. A pid namespace lives as long as its first process, so this one does
// nothing but stay, and goes when the monitor does: descriptor 0 is the read end of a pipe that the
// monitor alone holds open for writing.
//
// Orphans of the jail become its children; SIGCHLD arrives here ignored (set by the monitor before
// exec), so the kernel reaps them by itself. It is freestanding, without any library, since it runs
// where the host's files are out of reach, and it is the whole content of the jail that jailed root
// could study.
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "../linux/raw.hh"

using dfjail::raw::call;
using dfjail::raw::pointer;

extern "C" [[noreturn]] void _start() {
  constexpr long kSigKill = 9;
  // The pipe alone is not enough: a process that is stopped does not see its end.
  call(SYS_prctl, PR_SET_PDEATHSIG, kSigKill);
  static const char name[] = "jail-anchor";
  call(SYS_prctl, PR_SET_NAME, pointer(name));
  char byte;
  constexpr long kInterrupted = -4;
  while (call(SYS_read, 0, pointer(&byte), 1) == kInterrupted) {
  }
  for (;;) call(SYS_exit_group, 0);
}
