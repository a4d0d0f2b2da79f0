#pragma once

#include "node_api.hh"

namespace dfjail {

// enterJail(jid): { closed, kept }
void define_attach(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
