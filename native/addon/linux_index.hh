#pragma once

#include "node_api.hh"

namespace dfjail {

// scanJails(stateDir)
void define_index(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
