#include "holder.hh"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netlink.hh"
#include "owner.hh"
#include "report.hh"

namespace dfjail {

NamespaceHolder::~NamespaceHolder() {
  if (pid_ < 0) return;
  gate_.reset();
  kill(pid_, SIGKILL);  // our child, not yet waited for: nobody else has its pid
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool NamespaceHolder::start(const JailNetwork& network, uint32_t owner, Error* error) {
  int gate[2];
  int report[2];
  if (pipe2(gate, O_CLOEXEC) < 0) return fail(error, "id-map", "pipe2");
  UniqueFd gate_end(gate[0]);
  gate_.reset(gate[1]);
  if (pipe2(report, O_CLOEXEC) < 0) return fail(error, "id-map", "pipe2");
  report_.reset(report[0]);
  const UniqueFd report_end(report[1]);
  int pidfd = -1;
  const EffectiveUser user(owner, error);
  if (!user) return false;
  constexpr long kFlags = CLONE_NEWUSER | CLONE_PIDFD | SIGCHLD;
  pid_ = static_cast<pid_t>(syscall(SYS_clone, kFlags, 0, &pidfd, 0, 0));
  if (pid_ < 0) return fail(error, "id-map", "clone");
  if (pid_ == 0) {
    gate_.reset();
    run(network, gate_end.get(), report_end.get());
  }
  pidfd_.reset(pidfd);
  return true;
}

void NamespaceHolder::run(const JailNetwork& network, int gate, int report) {
  Error error;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (unshare(CLONE_NEWNET) < 0) {
    fail(&error, "enter", "unshare");
    say_failed(report, error);
  }
  if (!say_ready(report)) _exit(1);
  if (!wait_for_go(gate)) {
    fail(&error, "address", "read");
    say_failed(report, error);
  }
  if (!configure_jail(network.addresses, network.count, network.linked, &error))
    say_failed(report, error);
  if (!say_ready(report)) _exit(1);
  // Until the monitor needs it no longer or is gone, whatever else happens.
  while (wait_for_go(gate) || errno != ECANCELED) {
  }
  _exit(0);
}

bool NamespaceHolder::await_network(Error* error) { return await("enter", error); }

bool NamespaceHolder::configure(Error* error) {
  return say_go(gate_.get()) || errno == EPIPE || fail(error, "address", "write");
}

bool NamespaceHolder::await_configured(Error* error) { return await("address", error); }

// Before it ends it says why, so nothing need be waited for.
void NamespaceHolder::explain(Error* error) {
  pollfd said = {report_.get(), POLLIN, 0};
  if (poll(&said, 1, 0) <= 0) return;
  Error own;
  switch (hear(report_.get(), "id-map", &own)) {
    case Word::kReady:
      return;
    case Word::kFailed:
      *error = own;
      return;
    case Word::kEnded:
      *error = Error();
      fail(error, "id-map", "read", "", ECHILD);
  }
}

bool NamespaceHolder::await(const char* step, Error* error) {
  const Word word = hear(report_.get(), step, error);
  if (word == Word::kEnded) return fail(error, step, "read", "", ECHILD);
  return word == Word::kReady;
}

}  // namespace dfjail
