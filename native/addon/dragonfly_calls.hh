#pragma once

#include "node_api.hh"

namespace dfjail {

// jail(image, pointers), jailAttach(jid)
void define_calls(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
