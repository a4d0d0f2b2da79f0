#pragma once

#include <sys/types.h>

namespace dfjail {

// A mount that can be reached from the caller's root directory.
struct MountRow {
  dev_t device;        // of its file system
  const char* target;  // absolute
  const char* type;
};

// Reads the caller's mounts, in the order in which they were made, by a procfs in which it has a
// pid. Ends with false and errno when that, or `visit`, fails.
bool each_mount(int procfs, bool (*visit)(void* context, const MountRow& row), void* context);

}  // namespace dfjail
