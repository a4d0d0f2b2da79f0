#pragma once

#include <stddef.h>

#include "../common/registry.hh"

// A jail may rename itself, so its hostname is asked of its UTS namespace: uname(2) is about the
// caller's own, and /proc/sys/kernel/hostname about the reader's. Uses a thread: for the addon, not
// for the monitor.
namespace dfjail {

constexpr size_t kMaxHostname = 256;

// A question and its answer. Small, so that a thousand of them are.
struct HostnameQuery {
  HostnameQuery() = default;
  explicit HostnameQuery(const Entry& entry);
  pid_t anchor = 0;
  uint64_t pid_namespace = 0;
  char hostname[kMaxHostname + 1] = "";  // any bytes but NUL; to begin with the entry's
};

// The hostnames that jails have now; those which cannot be asked keep the one of their entry. As
// root one thread goes through all of them; an ordinary user's are asked by one short-lived child
// each, which shares our memory.
void current_hostnames(HostnameQuery* queries, size_t count);
void current_hostname(const Entry& entry, char out[kMaxHostname + 1]);

}  // namespace dfjail
