#pragma once

#include <stddef.h>

namespace dfjail {

// A text that is the same until the next restart and different after it: when init was started,
// which unlike kern.boottime does not move with the clock.
bool boot_id(char* text, size_t size);

}  // namespace dfjail
