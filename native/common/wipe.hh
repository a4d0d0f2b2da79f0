#pragma once

#include <string.h>
#include <strings.h>

namespace dfjail {

// Zeroes memory that is about to be given back or copied into a jail; never optimized away.
inline void wipe_memory(void* bytes, size_t size) { explicit_bzero(bytes, size); }

}  // namespace dfjail
