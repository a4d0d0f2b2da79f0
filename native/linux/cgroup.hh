#pragma once

#include "../monitor/backend.hh"

namespace dfjail {

// Limits of the whole jail, by cgroup v2 or v1, whichever the host lets us write. Fills
// entry.cgroup and the descriptors that commands join by (step 'limits'). ERR_JAIL_UNSUPPORTED
// where neither can be had.
bool limit_jail(Jail* jail, uint64_t memory, uint64_t processes, Error* error);
// Removes the folders; waits a moment for the last processes to leave. Tells of each that was there
// what came of it. (cgroup_remove.cc, which the addon has too)
using CgroupRemoved = void (*)(void* context, const char* path, const Error& error);
void remove_cgroups(const Entry& entry, CgroupRemoved removed, void* context);

}  // namespace dfjail
