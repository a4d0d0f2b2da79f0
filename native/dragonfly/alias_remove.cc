#include "alias.hh"
#include "alias_request.hh"

namespace dfjail {
namespace {

bool remove_ipv4(const char* interface, const Address& address) {
  ifreq request = {};
  strlcpy(request.ifr_name, interface, sizeof request.ifr_name);
  const sockaddr_in self = ipv4(address.bytes);
  memcpy(&request.ifr_addr, &self, sizeof self);
  return send_address_request(AF_INET, SIOCDIFADDR, &request);
}

bool remove_ipv6(const char* interface, const Address& address, uint32_t scope) {
  in6_ifreq request = {};
  strlcpy(request.ifr_name, interface, sizeof request.ifr_name);
  request.ifr_ifru.ifru_addr = ipv6(address.bytes, scope);
  return send_address_request(AF_INET6, SIOCDIFADDR_IN6, &request);
}

}  // namespace

bool alias_remove(const char* interface, const Address& address, uint32_t scope) {
  return address.family == AF_INET ? remove_ipv4(interface, address)
                                   : remove_ipv6(interface, address, scope);
}

}  // namespace dfjail
