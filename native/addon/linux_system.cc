#include "linux_index.hh"
#include "linux_process_list.hh"
#include "recover.hh"
#include "registry.hh"
#include "system.hh"

namespace dfjail {

void define_system(Napi::Env env, Napi::Object exports) {
  define_registry(env, exports);
  define_index(env, exports);
  define_process_list(env, exports);
  define_recover(env, exports);
  define_source_filter(env, exports);
}

}  // namespace dfjail
