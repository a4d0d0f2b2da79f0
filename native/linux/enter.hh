#pragma once

#include "../monitor/backend.hh"
#include "filter.hh"

namespace dfjail {

// All namespaces of a jail but the pid namespace, which the monitor joined for its children.
constexpr int kJailNamespaces =
    0x10000000 | 0x00020000 | 0x40000000 | 0x04000000 | 0x08000000 | 0x02000000;

// What the commands of a jail have in common; made anew when its capabilities change.
struct Entrance {
  Filter filter;
  uint64_t kept = 0;
};

// This monitor's jail's.
Entrance& entrance();

}  // namespace dfjail
