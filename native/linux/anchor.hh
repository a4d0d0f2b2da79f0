#pragma once

#include "../common/error.hh"
#include "../common/unique_fd.hh"

namespace dfjail {

// The anchor's program as a sealed file in memory that nobody inside the jail can read or trace
// (step 'anchor').
bool make_anchor_file(UniqueFd* file, Error* error);
// In the process that becomes the anchor: leaves it nothing but the lifeline. Says so where it
// fails.
[[noreturn]] void become_anchor(int file, int lifeline, int report);

}  // namespace dfjail
