#pragma once

#include "../monitor/backend.hh"

namespace dfjail {

// A queue that becomes readable: for a jail of ours when ring() is called, for somebody else's from
// time to time, for has_ended() to look.
UniqueFd make_bell(bool owned);
void ring(const UniqueFd& bell);
// Somebody else's is about to end: look more often.
void hurry(const UniqueFd& bell);
void silence(const UniqueFd& bell);

}  // namespace dfjail
