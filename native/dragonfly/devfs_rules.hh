#pragma once

#include "../common/error.hh"

// What a jail sees of a devfs, by the ioctls of /dev/devfs, as devfsctl(8). Rules are kept by the
// kernel until they are cleared, in one list for all mounts, and match a mount by its name.
namespace dfjail {

// Hides everything, then shows null, zero, full, random, urandom, tty, ptmx, pts/*, fd/*, stdin,
// stdout and stderr, for jailed mounts of that name; replaces earlier rules of that name, and
// applies them to what is mounted there now.
bool devfs_set_jail_rules(const char* mount_point, Error* error);
// The same without replacing anything: for names that may also be somebody else's.
bool devfs_add_jail_rules(const char* mount_point, Error* error);
bool devfs_clear_rules(const char* mount_point, Error* error);

}  // namespace dfjail
