#pragma once

#include <stddef.h>

#include "mount.hh"

// Most jails end without that anything was mounted inside: then nobody has to go in to look.
namespace dfjail {

// The mounts of the host before this process makes its jail.
void note_mounts_before();
// Has the host a mount that it had not then, beside these? Yes, where it was not noted.
bool has_new_mount(const FsId* ours, size_t count);

}  // namespace dfjail
