#include <sys/socket.h>
#include <unistd.h>

#include "../monitor/signals.hh"
#include "peer.hh"

namespace dfjail {

// Both pids are this process's names for them: 0 for who is not to be seen from here.
bool is_monitor(int fd, pid_t holder) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  uid_t uid = 0;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return false;
  if (peer.pid == 0 || peer.pid != holder || !peer_uid(fd, &uid)) return false;
  return uid == 0 || uid == geteuid();
}

}  // namespace dfjail
