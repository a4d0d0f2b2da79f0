#pragma once

#include <stddef.h>

#include "../common/error.hh"

namespace dfjail {

constexpr size_t kDevfsPath =
    80;  // a mount's name in the kernel, with the NUL: rules miss longer ones

// Can a devfs be mounted below this state directory (as realpath(3) gives it)?
bool check_private_devfs(const char* state_path, Error* error);
// Mounts a devfs for one jail, outside of it, in <state>/dev; `offered` is the folder in it that
// the jail may see.
bool mount_private_devfs(int state, const char* state_path, int ledger, char (&offered)[128],
                         Error* error);

}  // namespace dfjail
