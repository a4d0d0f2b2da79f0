#include "at_calls.hh"
#include "descriptors.hh"
#include "errors.hh"
#include "monitor_start.hh"
#include "node_api.hh"
#include "socket.hh"
#include "state.hh"
#include "system.hh"
#include "terminal.hh"

namespace dfjail {
namespace {

// Called once per environment; everything that outlives a call is in its State.
Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  create_state(env);
  exports.Set("system", Napi::String::New(env, kSystem));
  define_errors(env, exports);
  define_monitor_start(env, exports);
  define_socket(env, exports);
  define_descriptors(env, exports);
  define_at_calls(env, exports);
  define_terminal(env, exports);
  define_system(env, exports);
  return exports;
}

}  // namespace
}  // namespace dfjail

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  return dfjail::initialize(env, exports);
}

NODE_API_MODULE(jail, Init)
