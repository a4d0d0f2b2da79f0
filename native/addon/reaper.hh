#pragma once

#include <sys/types.h>

#include <vector>

namespace dfjail {

// Takes children that nobody will wait for any more (the worker that started them has ended) and
// sees that none of them stays a zombie, on one detached thread of the process. Empties the list.
void reap_later(std::vector<pid_t>* pids);

}  // namespace dfjail
