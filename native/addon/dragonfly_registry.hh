#pragma once

#include "node_api.hh"

namespace dfjail {

// listEntries(stateDir), findEntry(stateDir, id)
void define_registry(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
