#pragma once

#include <string>

#include "../common/registry.hh"
#include "node_api.hh"

namespace dfjail {

// A state directory, open for reading.
struct Registry {
  std::string folder;
  UniqueFd state;
  UniqueFd locks;
};

bool open_registry(const std::string& folder, Registry* registry, Error* error);
// The same for the argument `stateDir`; throws.
bool get_registry(const Napi::CallbackInfo& info, size_t index, Registry* registry);
// A jail whose monitor lives and which is ready. False for any other.
bool read_living(const Registry& registry, uint32_t jid, Entry* entry);
// The living jail of the argument `jid`; throws, ERR_JAIL_NOT_FOUND when there is none.
bool get_living(const Napi::CallbackInfo& info, size_t index, const Registry& registry,
                Entry* entry);

// listEntries(stateDir), findEntry(stateDir, id)
void define_registry(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
