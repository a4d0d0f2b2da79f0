#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

namespace dfjail {

// The seccomp program of a command: what the capabilities of a user namespace do not cover.
// Everything is allowed but what is named; `capabilities` decides about hostname, SysV IPC and
// socket families.
constexpr size_t kMaxFilter = 512;

struct Filter {
  sock_filter code[kMaxFilter];
  unsigned short length = 0;
};

void build_filter(uint32_t capabilities, Filter* out);

// The Linux capabilities that jailed root keeps, one bit each.
uint64_t kept_capabilities(uint32_t capabilities, bool rootless);

}  // namespace dfjail
