#pragma once

#include "node_api.hh"

namespace dfjail {

// compiledFields(), compiledConstants(): of the headers that this binary was compiled with
void define_abi(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
