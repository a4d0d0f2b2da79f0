#include <sys/types.h>
#include <unistd.h>

#include "peer.hh"

namespace dfjail {

// This kernel tells the user of a peer, and no pid.
bool is_monitor(int fd, pid_t) {
  uid_t uid = 0;
  gid_t gid = 0;
  return getpeereid(fd, &uid, &gid) == 0 && (uid == 0 || uid == geteuid());
}

}  // namespace dfjail
