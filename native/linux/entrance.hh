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
  UniqueFd dumpable;  // the host's setting, see check_dumps()
};

// This monitor's jail's.
Entrance& entrance();

// Whoever wakes the monitor keeps the processor.
void give_way();
// setns(2), which the monitor's own filter lets nobody else do.
int enter_namespaces(int fd, int flags);
// What the host does with the memory of a process that changes its user.
enum class Dumps : char {
  kNone = '0',
  kOpen = '1',    // its new user may read it: a child of ours could be opened in the jail
  kToRoot = '2',  // a crash writes it to where the host keeps such things
};
// To be asked before each child. False and an error: not known, or kOpen, with which there are no
// jails.
bool check_dumps(Dumps* dumps, Error* error);
// Confines the monitor, and so every child from its birth: it needs no more mounts or namespaces.
bool confine_monitor(Error* error);

}  // namespace dfjail
