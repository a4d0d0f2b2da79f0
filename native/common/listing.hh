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
constexpr size_t kListingShare = 1024;
constexpr size_t kLongestHostname = 255;

// As the kernel prints it: IPv4 dotted; IPv6 with four digits a group, one for a lone zero, the
// first run of zeros cut.
inline size_t listed_length(const Address& address) {
  if (address.family == AF_INET) {
    size_t n = 3;
    for (int i = 0; i < 4; i++) n += address.bytes[i] > 99 ? 3U : address.bytes[i] > 9 ? 2U : 1U;
    return n;
  }
  size_t n = 0;
  enum { kBefore, kInside, kAfter } run = kBefore;
  const auto is_zero = [&address](int group) {
    const size_t at = static_cast<size_t>(group) * 2;
    return group > 7 || (address.bytes[at] | address.bytes[at + 1]) == 0;
  };
  for (int i = 0; i < 8; i++) {  // step by step as ip6_sprintf of sys/netinet6/in6.c
    if (run == kInside && is_zero(i)) {
      n += i == 7 ? 1U : 0U;
      continue;
    }
    if (run == kInside) run = kAfter;
    if (!is_zero(i)) {
      n += 5;
    } else if (run == kBefore && is_zero(i + 1)) {
      n += i == 0 ? 2U : 1U;
      run = kInside;
    } else {
      n += 2;
    }
  }
  return n - 1;
}

// Hostname and path are printed without asking for room: where they are longer than the share, the
// kernel reads and writes behind its buffer. Addresses that have no room have it refuse the list to
// everybody. A jail that may set its hostname chooses the longest.
inline size_t listed_length(const char* path, size_t hostname, const Address* addresses,
                            size_t count) {
  size_t n = kJidDigits + 1 + hostname + 1 + strlen(path);
  for (size_t i = 0; i < count; i++) n += 1 + listed_length(addresses[i]);
  return n;
}

inline bool leaves_room_for_hostname(const char* path, const Address* addresses, size_t count) {
  return listed_length(path, kLongestHostname, addresses, count) <= kListingShare;
}

inline bool fits_listing(const char* path, const char* hostname, const Address* addresses,
                         size_t count) {
  return listed_length(path, strlen(hostname), addresses, count) <= kListingBudget;
}

}  // namespace dfjail
