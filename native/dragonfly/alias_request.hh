#pragma once

#include <string.h>
#include <sys/types.h>

#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <net/if_var.h>
#include <netinet6/in6_var.h>

#include "../common/address.hh"
#include "../common/unique_fd.hh"

// Parts that adding and removing an address have in common. The length fields have to be right
// here: 0 means "keep".
namespace dfjail {

inline sockaddr_in ipv4(const void* bytes) {
  sockaddr_in out = {};
  out.sin_len = sizeof out;
  out.sin_family = AF_INET;
  memcpy(&out.sin_addr, bytes, sizeof out.sin_addr);
  return out;
}

inline sockaddr_in6 ipv6(const void* bytes, uint32_t scope) {
  sockaddr_in6 out = {};
  out.sin6_len = sizeof out;
  out.sin6_family = AF_INET6;
  memcpy(&out.sin6_addr, bytes, sizeof out.sin6_addr);
  out.sin6_scope_id = scope;
  return out;
}

template <typename Request>
bool send_address_request(int family, unsigned long number, Request* request) {
  const UniqueFd fd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return fd && ::ioctl(fd.get(), number, request) == 0;
}

}  // namespace dfjail
