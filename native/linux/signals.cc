#include "../monitor/signals.hh"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dfjail {

namespace {

// Also the two that libc keeps to itself and does not let be reset: whoever started us may have had
// them ignored, and commands would inherit that.
void reset_dispositions() {
  constexpr int kLast = 64;
  const struct {
    unsigned long handler, flags, restorer, mask;
  } initial = {0, 0, 0, 0};
  for (int i = 1; i <= kLast; i++)
    syscall(SYS_rt_sigaction, i, &initial, nullptr, sizeof initial.mask);
}

}  // namespace

int open_signals() {
  reset_dispositions();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) < 0) return -1;
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool is_termination(int fd) {
  signalfd_siginfo info;
  if (read(fd, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return false;
  return info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
}

}  // namespace dfjail
