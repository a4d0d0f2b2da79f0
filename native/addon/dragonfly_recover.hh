#pragma once

#include "node_api.hh"

namespace dfjail {

// recover(stateDir, jid)
void define_recover(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
