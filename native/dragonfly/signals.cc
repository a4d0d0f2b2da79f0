#include "../monitor/signals.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <sys/event.h>

namespace dfjail {

// A kqueue notes a signal whatever is done about it, so ignoring it is all it takes; a child puts
// every signal back to its default before it runs a command. SIGPIPE goes the same way.
int open_signals() {
  const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
  for (const int number : ignored) {
    if (signal(number, SIG_IGN) == SIG_ERR) return -1;
  }
  const int queue = kqueue();
  if (queue < 0) return -1;
  struct kevent wanted[2];
  EV_SET(&wanted[0], SIGTERM, EVFILT_SIGNAL, EV_ADD, 0, 0, nullptr);
  EV_SET(&wanted[1], SIGINT, EVFILT_SIGNAL, EV_ADD, 0, 0, nullptr);
  if (fcntl(queue, F_SETFD, FD_CLOEXEC) == 0 &&
      kevent(queue, wanted, 2, nullptr, 0, nullptr) == 0) {
    return queue;
  }
  close(queue);
  return -1;
}

bool is_termination(int fd) {
  struct kevent event;
  const timespec now = {0, 0};
  return kevent(fd, nullptr, 0, &event, 1, &now) == 1;
}

bool peer_uid(int fd, uid_t* uid) {
  gid_t gid;
  return getpeereid(fd, uid, &gid) == 0;
}

}  // namespace dfjail
