#pragma once

#include <stdint.h>

#include "../common/error.hh"
#include "../common/registry.hh"

// Jails that have ended: no process is left in them, and what was set up for them is taken back.
// The kernel lists their jids until the last TCP connection that was opened inside is over, a
// minute and more. They are noted in the registry, and are nobody's jails any more: their names,
// roots and addresses are free.
namespace dfjail {

// Is that all there is of a jail: no process, and connections at its addresses that come to their
// end?
bool is_held_by_connections(const Entry& entry);

// Waits for the kernel to let go of a jail that has been left. True: it has, or only connections
// hold it, which is noted. False: something holds it that does not end by itself.
bool wait_for_the_end(int state, const Entry& entry, int milliseconds);

void note_lingering(int state, const Entry& entry);
bool is_lingering(int state, uint32_t jid);
// The jid is a new jail's.
void forget_lingering(int state, uint32_t jid);
// Takes away the notes of those that the kernel has let go.
void sweep_lingering(int state);
// Calls visit(context, entry) for each that the kernel still has; false ends it.
void each_lingering(int state, bool (*visit)(void* context, const Entry& entry), void* context);

// What the kernel's list says of a jail that this package did not make: path, hostname, addresses.
bool read_listed(uint32_t jid, Entry* entry);

}  // namespace dfjail
