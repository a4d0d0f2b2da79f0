#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../common/address.hh"
#include "../common/error.hh"

// A jail's network on Linux, by rtnetlink. The requests of a phase go out in one message; the
// answers are matched by sequence number, so that an error names the address it is about.
namespace dfjail {

// On the host, without privileges: ERR_JAIL_ADDRESS_IN_USE for an address that the host itself has,
// as connect_host has it. For jails that are not connected.
bool check_foreign(const Address* addresses, size_t count, Error* error);

// On the host, as root: a veth pair, our end named `link`, the other named `jail0` in the network
// namespace `netns` (a descriptor), both up and carrying packets when this returns (jail0 has no
// address yet: see configure_jail). Our end gets 169.254.1.1/32 and fe80::1/64 (without DAD), each
// when the jail has addresses of that family, so that the host has a source address towards the
// jail; and every address that is neither a loopback nor a link-local one gets a host route. A jail
// with loopback addresses alone gets no link, and true.
//
// The two ends have the same hardware address and no ARP or neighbour discovery: whatever one end
// sends is for the other, so there is nothing to ask, nothing to wait for and nothing to forge.
// Both ends ignore router advertisements and redirects. For the sources of packets see
// filter_link().
//
// An address that the host itself has, that is routed already (by another jail) or that our end
// needs is ERR_JAIL_ADDRESS_IN_USE (step 'address', path the address); one that is a broadcast
// address of the host's is EADDRNOTAVAIL. IPv6 addresses without IPv6 on the host, no veth, or
// router advertisements that cannot be turned off are ERR_JAIL_UNSUPPORTED. On failure nothing is
// left.
bool connect_host(const char* link, int netns, const Address* addresses, size_t count,
                  Error* error);
// On the host, as root: from now on our end takes packets from the jail's own addresses alone (see
// SourceFilter); that goes with the link. ERR_JAIL_UNSUPPORTED where the kernel has not what it
// needs. To be called before anybody in the jail may write packets: the kernel waits in it for all
// processors, as long as making the link takes.
bool filter_link(const char* link, const Address* addresses, size_t count, Error* error);
// For who has nothing else in the network that it is in: would filter_link() succeed on this
// kernel?
bool can_filter_sources();
// Deletes our end, and with it the other and the routes. No error when it is gone already.
bool disconnect_host(const char* link, Error* error);
// The same for one of perhaps many that go at the same time, whose other ends' network namespaces
// have just lost their last process. The kernel takes some 20 ms to delete a link, one after the
// other, but hardly more for many in one request: so a link that is to go is marked first, and
// whose turn it is (by a lock on the file `turn`, which must stay open) deletes all that are
// marked. Who finds nobody before it waits instead: with its namespace the link goes by itself, in
// less than a millisecond, unless something else holds that. Without the file (-1) it is deleted
// alone.
bool disconnect_in_turn(const char* link, int turn, Error* error);

// In the jail's own network namespace: loopback up, only with the families that the jail has (::1
// taken away without an IPv6 address, 127.0.0.1 without an IPv4 one), the addresses (/32, /128
// without DAD, link-local ones /64) on jail0 (`linked`: after connect_host) or on lo, loopback ones
// always on lo, and default routes by the host's end, a neighbour for good, whose source is the
// first address of each family that is neither loopback nor link-local. Not called for a jail
// without addresses.
bool configure_jail(const Address* addresses, size_t count, bool linked, Error* error);

}  // namespace dfjail
