#pragma once

#include <sys/types.h>

namespace dfjail {

// Is at the other end of a socket the process that holds a jail's entry, outside of all jails, and
// this user's or root's? `holder` is 0 where the system cannot tell it.
bool is_monitor(int fd, pid_t holder);

}  // namespace dfjail
