#pragma once

#include <stdint.h>

#include "../common/error.hh"
#include "../monitor/spec.hh"

namespace dfjail {

// Where a jail's mounts go.
struct Place {
  int root;  // its root directory
  const char* root_path;
  int state;               // the registry's folder
  const char* state_path;  // as realpath(3) gives it
  uint32_t id;             // of the jail's ledger
};

// Everything about a jail's mounts that can be said without touching anything: for a failure before
// the first step.
bool check_mounts(const JailSpec& spec, const Place& place, Error* error);

// Mounts one thing below the root and writes it down.
bool mount_in_root(const Place& place, int ledger, const MountSpec& mount, Error* error);

}  // namespace dfjail
