#pragma once

#include <stdint.h>

#include "../common/unique_fd.hh"
#include "mount.hh"

// Mounts by their fsid, wherever they are. unmount(2) knows them by path only, and a path is told
// in 79 bytes: what is deeper is found by walking.
namespace dfjail {

// The root directory of the mount, opened by a child: by one in the jail (`jid`), or by one of the
// host (0) that has made `root` its own. None: it is not there, or something covers it.
UniqueFd open_mount(uint32_t jid, const char* root, const FsId& id);

// Unmounts what the directory is the root of, with the rights of an inmate, to whom the kernel
// allows it only for mounts made inside, or (0) with those of the host.
bool unmount_open(const UniqueFd& directory, uint32_t jid, int flags);

}  // namespace dfjail
