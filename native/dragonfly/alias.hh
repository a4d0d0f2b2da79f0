#pragma once

#include <stdint.h>

#include "../common/address.hh"

// Addresses of network interfaces, as ifconfig(8) `alias`: one host each (/32, /128). False with
// errno.
namespace dfjail {

// IPv6 without duplicate address detection, so that a jail can bind at once. The kernel takes an
// address that is there already as a change of it: look before.
bool alias_add(const char* interface, const Address& address, uint32_t scope);
bool alias_remove(const char* interface, const Address& address, uint32_t scope);
// Has any interface this address?
bool host_has_address(const Address& address, bool* has);

}  // namespace dfjail
