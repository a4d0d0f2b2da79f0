#pragma once

#include "../common/address.hh"
#include "backend.hh"

namespace dfjail {

// What a spec says of a jail, as it stands in the registry, and back.

// Adds the addresses to entry->addresses and entry->scopeids, and parses them (step 'address').
bool describe_addresses(const JailSpec& spec, Address* addresses, Entry* entry, Error* error);
// Every command's limits: to jail->limits and, as text, to its entry.
void describe_limits(const JailSpec& spec, Jail* jail);
// The reverse, for a jail that somebody else made.
void parse_limits(Jail* jail);
// Can this text be one line of the registry, and shown? A path can hold anything: a symbolic link
// that was checked may lead to a name with a line feed, which would forge further lines.
bool is_plain_line(const char* text);
// ERR_JAIL_NOT_FOUND.
bool no_such_jail(uint32_t jid, Error* error);

}  // namespace dfjail
