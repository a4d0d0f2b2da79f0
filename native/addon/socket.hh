#pragma once

#include "node_api.hh"

namespace dfjail {

// connectMonitor(path), send(fd, bytes, fds)
void define_socket(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
