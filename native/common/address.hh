#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

namespace dfjail {

// One address of a jail, in network byte order.
struct Address {
  int family = AF_UNSPEC;  // AF_INET or AF_INET6
  unsigned char bytes[16] = {};
  unsigned size() const { return family == AF_INET ? 4U : 16U; }
  bool operator==(const Address& other) const {
    return family == other.family && memcmp(bytes, other.bytes, size()) == 0;
  }
};

inline bool parse_address(const char* text, Address* out) {
  out->family = strchr(text, ':') != nullptr ? AF_INET6 : AF_INET;
  return inet_pton(out->family, text, out->bytes) == 1;
}

inline bool is_loopback(const Address& address) {
  static const unsigned char one[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  if (address.family == AF_INET) return address.bytes[0] == 127;
  return memcmp(address.bytes, one, sizeof one) == 0;
}

}  // namespace dfjail
