#pragma once

#include "node_api.hh"

namespace dfjail {

// lingeringJails(stateDir), endingConnections()
void define_lingering(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
