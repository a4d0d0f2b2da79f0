#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../common/address.hh"
#include "../common/error.hh"
#include "../common/unique_fd.hh"

namespace dfjail {

// Makes a jail that no process lives in: a child enters it, makes a socket there, hands it back and
// leaves. The jail lasts until that descriptor is closed (and nothing else holds it), and nothing
// inside can take it away. The addresses come in the order in which they shall be listed: the first
// of each family is the primary one.
bool raise_jail(const char* path, const char* hostname, const Address* addresses, size_t count,
                UniqueFd* anchor, uint32_t* jid, Error* error);

// A descriptor that holds a jail which exists already, made by a child that goes in. None: it does
// not exist, or nobody gets in.
//
// To be held whenever processes are listed while a jail may come to its end: the kernel's listing
// keeps a reference to the credentials that it looked at last, and if that turns out to be a jail's
// last one, it takes the jail apart while it has the lock of the whole sysctl tree, waits for
// itself, and sysctl hangs for good (tried: docs/dragonfly.md).
UniqueFd hold_jail(uint32_t jid);

// Does the jail exist? Asked of the jail's node where that is reliable, else by a child that tries
// to enter.
bool jail_exists(uint32_t jid);
// The same by node only, for jids that have one: cheap enough to be asked often.
bool jail_seems_to_exist(uint32_t jid);

}  // namespace dfjail
