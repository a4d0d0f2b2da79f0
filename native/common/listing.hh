#pragma once

#include <stddef.h>

#include "address.hh"

// How much room a jail takes in DragonFly's `jail.list`: 1 KiB for each jail, one pool for all. A
// jail that needs more makes the listing fail for everybody (ERANGE), or worse (docs/dragonfly.md),
// so it must not be made. Pure.
namespace dfjail {

// What is left for a line feed, the jid and the kernel's own reckoning.
constexpr size_t kListingBudget = 1000;
constexpr size_t kJidDigits = 7;

// As the kernel prints it: IPv4 dotted; IPv6 with four digits a group, one for a lone zero, the
// first run of zeros cut.
inline size_t listed_length(const Address& address) {
  if (address.family == AF_INET) {
    size_t n = 3;
    for (int i = 0; i < 4; i++) n += address.bytes[i] > 99 ? 3U : address.bytes[i] > 9 ? 2U : 1U;
    return n;
  }
  size_t n = 7;  // colons
  for (int i = 0; i < 16; i += 2) n += (address.bytes[i] | address.bytes[i + 1]) != 0 ? 4U : 1U;
  return n;  // a run of zeros takes less; never more
}

inline bool fits_listing(const char* path, const char* hostname, const Address* addresses,
                         size_t count) {
  size_t n = kJidDigits + 1 + strlen(hostname) + 1 + strlen(path);
  for (size_t i = 0; i < count; i++) n += 1 + listed_length(addresses[i]);
  return n <= kListingBudget;
}

}  // namespace dfjail
