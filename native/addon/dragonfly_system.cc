#include "dragonfly_abi.hh"
#include "dragonfly_attach.hh"
#include "dragonfly_calls.hh"
#include "dragonfly_lingering.hh"
#include "dragonfly_setup.hh"
#include "dragonfly_sysctl.hh"
#include "recover.hh"
#include "registry.hh"
#include "system.hh"

namespace dfjail {

void define_system(Napi::Env env, Napi::Object exports) {
  define_abi(env, exports);
  define_attach(env, exports);
  define_calls(env, exports);
  define_lingering(env, exports);
  define_recover(env, exports);
  define_registry(env, exports);
  define_setup(env, exports);
  define_sysctl(env, exports);
}

}  // namespace dfjail
