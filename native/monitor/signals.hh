#pragma once

#include <sys/types.h>

namespace dfjail {

// SIGTERM and SIGINT as something that can be read; blocked from now on, SIGHUP ignored. Commands
// get them unblocked.
int open_signals();
// Takes one; was it one that asks the monitor to end?
bool is_termination(int fd);
// Who is at the other end of a UNIX socket. False: not known, or somebody in a jail.
bool peer_uid(int fd, uid_t* uid);

}  // namespace dfjail
