#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

namespace dfjail {

// The seccomp programs of a command: what the capabilities of a user namespace do not cover, and
// how much of the kernel is within reach. Nothing is allowed but what is named.
//
// There are two, since the kernel compiles each anew for whoever installs it: what every jail is
// refused the monitor installs for itself once it needs nothing of that any more, and its children
// are born with it; what the jail's capabilities decide (hostname, SysV IPC, socket families) each
// command installs, since it can change.
constexpr size_t kMaxFilter = 512;

struct Filter {
  sock_filter code[kMaxFilter] = {};
  unsigned short length = 0;
  bool fits = true;  // what was put in
};

// What the monitor's own setns(2) calls carry in arguments that the kernel does not look at: theirs
// alone are let through.
struct Pass {
  uint64_t half[2];
};

void build_common_filter(const Pass& pass, Filter* out);
// Empty when these capabilities need none.
void build_filter(uint32_t capabilities, Filter* out);

// The Linux capabilities that jailed root keeps, one bit each.
uint64_t kept_capabilities(uint32_t capabilities, bool rootless);

}  // namespace dfjail
