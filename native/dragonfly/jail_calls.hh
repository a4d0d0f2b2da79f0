#pragma once

#include <stdint.h>
#include <sys/socket.h>

// The two system calls that a jail is made of, as they are. See jail(2).
namespace dfjail {

// Version 1: any number of addresses. Imprisons the calling process, all its threads, for good; the
// working directory and open descriptors stay as they are and lead out again, so they must have
// been left and closed before. The kernel lists the addresses in reverse. Returns the jid, or -1
// and errno.
int jail_create(const char* path, const char* hostname, const sockaddr_storage* addresses,
                uint32_t count);
// Version 0: exactly one IPv4 address, in the host's byte order.
int jail_create_v0(const char* path, const char* hostname, uint32_t address);
// Enters a running jail, for good, with the same reservations. 0, or -1 and errno (EINVAL: no such
// jail).
int jail_enter(int jid);

}  // namespace dfjail
