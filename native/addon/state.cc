#include "state.hh"

#include "reaper.hh"

namespace dfjail {

void create_state(Napi::Env env) {
  auto* state = new State();
  env.SetInstanceData<State>(state);
  env.AddCleanupHook([](State* ended) { reap_later(&ended->monitors); }, state);
}

}  // namespace dfjail
