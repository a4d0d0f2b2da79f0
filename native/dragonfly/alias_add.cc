#include "alias.hh"
#include "alias_request.hh"

namespace dfjail {
namespace {

constexpr uint32_t kForever = 0xFFFFFFFFU;

bool add_ipv4(const char* interface, const Address& address) {
  ifaliasreq request = {};
  strlcpy(request.ifra_name, interface, sizeof request.ifra_name);
  const sockaddr_in self = ipv4(address.bytes);
  static const unsigned char ones[4] = {255, 255, 255, 255};
  const sockaddr_in mask = ipv4(ones);
  memcpy(&request.ifra_addr, &self, sizeof self);
  memcpy(&request.ifra_mask, &mask, sizeof mask);
  return send_address_request(AF_INET, SIOCAIFADDR, &request);
}

bool add_ipv6(const char* interface, const Address& address, uint32_t scope) {
  in6_aliasreq request = {};
  strlcpy(request.ifra_name, interface, sizeof request.ifra_name);
  request.ifra_addr = ipv6(address.bytes, scope);
  unsigned char ones[16];
  memset(ones, 0xFF, sizeof ones);
  request.ifra_prefixmask = ipv6(ones, 0);
  request.ifra_flags = IN6_IFF_NODAD;
  request.ifra_lifetime.ia6t_vltime = kForever;
  request.ifra_lifetime.ia6t_pltime = kForever;
  return send_address_request(AF_INET6, SIOCAIFADDR_IN6, &request);
}

}  // namespace

bool alias_add(const char* interface, const Address& address, uint32_t scope) {
  return address.family == AF_INET ? add_ipv4(interface, address)
                                   : add_ipv6(interface, address, scope);
}

}  // namespace dfjail
