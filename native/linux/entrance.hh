#pragma once

#include "../monitor/backend.hh"
#include "filter.hh"

namespace dfjail {

// All namespaces of a jail but the pid namespace, which the monitor joined for its children.
constexpr int kJailNamespaces =
    0x10000000 | 0x00020000 | 0x40000000 | 0x04000000 | 0x08000000 | 0x02000000;

// What the commands of a jail have in common; the filter and what is kept are made anew when its
// capabilities change.
struct Entrance {
  Filter filter;
  uint64_t kept = 0;
  Pass pass = {};
  bool gives_way = false;
};

// This monitor's jail's.
Entrance& entrance();

// Whoever wakes the monitor keeps the processor.
void give_way();
// setns(2), which the monitor's own filter lets nobody else do.
int enter_namespaces(int fd, int flags);
// Confines the monitor, and so every child from its birth: it needs no more mounts or namespaces.
bool confine_monitor(Error* error);

}  // namespace dfjail
