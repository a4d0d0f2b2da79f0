#pragma once

#include <stdint.h>

#include "../common/error.hh"

// What a jail may do, by the bits of the protocol. Three spellings: of defaults, of a jail's own
// nodes, and of kernels up to 5.6, which have one switch for all jails. A kernel lacks a capability
// when it lacks the node.
namespace dfjail {

// Jids above have no node of their own: its name is cut and may be another jail's (5.8–6.x).
constexpr uint32_t kMaxNodeJid = 99999;

// Before jail(2): can this kernel give a jail exactly these? Everything that does not depend on the
// jid.
bool check_capabilities(uint32_t wanted, Error* error);
// After it, from the host. ERR_JAIL_UNSUPPORTED where the jid has no node and the defaults differ.
bool write_capabilities(uint32_t jid, uint32_t wanted, Error* error);
// What the jail has now; capabilities that the kernel lacks are left out.
bool read_capabilities(uint32_t jid, uint32_t* out);
bool read_default_capabilities(uint32_t* out);

}  // namespace dfjail
