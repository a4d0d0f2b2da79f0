#pragma once

#include <stdint.h>

#include "../common/error.hh"
#include "ledger.hh"

namespace dfjail {

// For a jail of the registry whose monitor is dead: kills what runs in it, unmounts what was
// mounted inside, waits for it to vanish, and takes back what the ledger says; then its folder and
// name. `report` hears of each thing. True when nothing is left; a jail that lives, or that another
// program is recovering, is left alone.
bool recover_jail(int state, uint32_t id, const Undoing& undoing, Error* error);

}  // namespace dfjail
