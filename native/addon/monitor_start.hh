#pragma once

#include "node_api.hh"

namespace dfjail {

// startMonitor(file), reapMonitor(pid)
void define_monitor_start(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
