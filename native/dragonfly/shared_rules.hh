#pragma once

#include "../common/error.hh"

namespace dfjail {

// Rules are compared with the name that a mount has at that moment, and every statfs(2) or
// getfsstat(2) rewrites that name as its caller sees it: after a `df` in the jail a devfs is called
// /dev, after one in a chroot below, something still shorter, and devices that appear later are not
// hidden (tried: docs/dragonfly.md). So the same rules are also bound to all names that the jail
// can give it: the ends of `target`, and "/". They count for jailed mounts only, are shared by all
// jails, added once between two restarts, and stay.
bool share_rules(int state, const char* target, Error* error);

}  // namespace dfjail
