#pragma once

#include "node_api.hh"

namespace dfjail {

// sysctlGet(id), sysctlSet(id, bytes), sysctlNode(id), sysctlList(id); an id is a name or numbers
void define_sysctl(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
