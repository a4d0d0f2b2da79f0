#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/unique_fd.hh"
#include "../monitor/signals.hh"
#include "proc_parse.hh"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

// Who is at the other end of a socket.
namespace dfjail {
namespace {

// How many pid namespaces a process is in, counted from that of /proc; 0: it is gone.
uint32_t pid_namespaces(pid_t pid) {
  char path[48];
  char text[1024];
  snprintf(path, sizeof path, "/proc/%d/status", static_cast<int>(pid));
  const UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
  Process process;
  StatusParser parser(&process);
  while (fd && !parser.finished()) {
    const ssize_t n = read(fd.get(), text, sizeof text);
    if (n <= 0) break;
    parser.feed(text, static_cast<size_t>(n));
  }
  return process.levels;
}

// From Linux 6.5 on: holds the process, so that its pid cannot become another's meanwhile.
UniqueFd open_peer(int socket) {
  int pidfd = -1;
  socklen_t size = sizeof pidfd;
  getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size);
  return UniqueFd(pidfd);
}

bool is_alive(const UniqueFd& pidfd) {
  return !pidfd || syscall(SYS_pidfd_send_signal, pidfd.get(), 0, nullptr, 0) == 0 ||
         errno == EPERM;
}

// An ordinary user's jails have that user's id: they are told by being further down than we are.
bool is_outside(int socket, pid_t pid) {
  const UniqueFd held = open_peer(socket);
  const uint32_t levels = pid_namespaces(pid);
  return levels != 0 && levels <= pid_namespaces(getpid()) && is_alive(held);
}

}  // namespace

bool peer_uid(int fd, uid_t* uid) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return false;
  *uid = peer.uid;
  return is_outside(fd, peer.pid);
}

}  // namespace dfjail
