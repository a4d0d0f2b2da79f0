#pragma once

#include "node_api.hh"

namespace dfjail {

// What rc.d/jail leaves to whoever stops its jails: mountPoints(), unmount(path),
// removeAlias(interface, address)
void define_setup(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
