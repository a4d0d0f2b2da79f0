#include <string.h>
#include <sys/types.h>

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "alias.hh"

namespace dfjail {
namespace {

bool is_same(const sockaddr* found, const Address& address) {
  if (found == nullptr || found->sa_family != address.family) return false;
  if (address.family == AF_INET) {
    sockaddr_in v4;
    memcpy(&v4, found, sizeof v4);
    return memcmp(&v4.sin_addr, address.bytes, 4) == 0;
  }
  sockaddr_in6 v6;
  memcpy(&v6, found, sizeof v6);
  unsigned char* bytes = reinterpret_cast<unsigned char*>(&v6.sin6_addr);
  // The kernel keeps the interface of a link-local address in its third and fourth byte.
  if (bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80) bytes[2] = bytes[3] = 0;
  return memcmp(bytes, address.bytes, 16) == 0;
}

}  // namespace

bool host_has_address(const Address& address, bool* has) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) < 0) return false;
  *has = false;
  for (const ifaddrs* item = list; item != nullptr; item = item->ifa_next) {
    if (is_same(item->ifa_addr, address)) *has = true;
  }
  freeifaddrs(list);
  return true;
}

}  // namespace dfjail
