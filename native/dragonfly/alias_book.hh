#pragma once

#include "../common/error.hh"
#include "../common/unique_fd.hh"

// Whose an address of an interface is, all registries of the host taken together: two of them may
// name the same one. Kept beside the registry that root uses unless told otherwise.
namespace dfjail {

// One at a time looks whether an address is there, adds or removes it.
UniqueFd lock_aliases(Error* error);
// Its ledgers may have aliases. With the lock.
bool note_registry(const char* state_path, Error* error);
// Calls visit(context, registry's folder) for each that has been noted; false ends it. With the
// lock.
void each_registry(bool (*visit)(void* context, int state), void* context);

}  // namespace dfjail
