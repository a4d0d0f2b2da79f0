#pragma once

#include <stdint.h>

#include "../common/error.hh"
#include "../monitor/spec.hh"

namespace dfjail {

// Everything about a jail's mounts that can be said without touching anything: for a failure before
// the first step.
bool check_mounts(const JailSpec& spec, const char* root_path, Error* error);

// Mounts one thing below the root, which the caller has open, and writes it down. `state` is the
// registry's folder.
bool mount_in_root(int state, int ledger, int root, const char* root_path, const MountSpec& mount,
                   Error* error);

}  // namespace dfjail
