#pragma once

#include <sys/resource.h>

#include "../monitor/spec.hh"

namespace dfjail {

// By the protocol's numbers.
constexpr int kRlimits[] = {RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_CORE,  RLIMIT_CPU,     RLIMIT_AS,
                            RLIMIT_DATA,   RLIMIT_STACK, RLIMIT_FSIZE, RLIMIT_MEMLOCK, RLIMIT_RSS};
constexpr size_t kRlimitCount = sizeof kRlimits / sizeof kRlimits[0];

inline rlim_t system_limit(uint64_t value) {
  return value == kUnlimited ? RLIM_INFINITY : static_cast<rlim_t>(value);
}

}  // namespace dfjail
