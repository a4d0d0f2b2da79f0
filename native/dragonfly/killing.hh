#pragma once

#include <stddef.h>
#include <stdint.h>

#include "mount.hh"

namespace dfjail {

// All of these list processes: the caller holds the jail by an anchor (see hold_jail).

// Is any process in it, zombies too?
bool has_any(uint32_t jid);
// Sends a signal to every process that the jail has at this moment.
void signal_all(uint32_t jid, int signal);
// STOP and KILL to all, again until none is left or `milliseconds` have passed. What a process that
// ends still has to show on a terminal is dropped when nobody has read it after a while. True: none
// is left but zombies, whose parents have to reap them.
bool kill_all(uint32_t jid, int milliseconds);

// What belongs to a jail and was not made inside.
struct Outside {
  const char* root;  // its root directory
  const FsId* mounts;
  size_t mount_count;
};

// Unmounts what was mounted from inside the jail, which pins it; the last first. Processes have to
// be gone. What was mounted from outside is left out: the kernel would refuse it, and log it.
void unmount_inside(uint32_t jid, const Outside& outside);
// Waits until the last process is reaped, at most `milliseconds` (longer for init to do so, not at
// all where one lives), and a moment longer: listings of other programs may still have its
// credentials. Only then may the anchor be closed.
void wait_until_deserted(uint32_t jid, int milliseconds);
// All of it: ends every process, takes back what was mounted inside, waits until all are reaped.
// Again while somebody is there: what a monitor started before it was killed may have been on its
// way in. `milliseconds`: for zombies of others.
void clear_jail(uint32_t jid, const Outside& outside, int milliseconds);
// Waits until the kernel has let go of the jail. False: something holds it still.
bool wait_until_gone(uint32_t jid, int milliseconds);
// What may hold a jail that has no living process, in words.
void describe_holders(uint32_t jid, char* text, size_t size);

}  // namespace dfjail
