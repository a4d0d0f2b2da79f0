#pragma once

#include <sys/types.h>

#include <vector>

#include "node_api.hh"

namespace dfjail {

// What belongs to one environment: the main thread or a worker, each with its own copy of the module.
struct State {
  std::vector<pid_t> monitors;  // started here and not yet reaped

  static State* of(Napi::Env env) { return env.GetInstanceData<State>(); }
};

// Makes the state. When the environment ends, its monitors are handed to the reaper.
void create_state(Napi::Env env);

}  // namespace dfjail
