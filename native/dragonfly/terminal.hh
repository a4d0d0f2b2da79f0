#pragma once

#include <sys/types.h>

namespace dfjail {

// What a terminal of the host still has to show and nobody reads. A session's leader waits in its
// exit until all of it was read, SIGKILL or not.
void drop_output(dev_t terminal);

}  // namespace dfjail
