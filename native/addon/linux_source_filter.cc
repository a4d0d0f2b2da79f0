#include <pthread.h>
#include <sched.h>

#include "../linux/netlink.hh"
#include "signals_blocked.hh"
#include "system.hh"

// Whether this kernel can filter what comes from a jail: found by doing it, in a network that is
// gone again with the thread that made it.
namespace dfjail {
namespace {

void* try_it(void* result) {
  *static_cast<bool*>(result) = unshare(CLONE_NEWNET) == 0 && can_filter_sources();
  return nullptr;
}

Napi::Value can_filter(const Napi::CallbackInfo& info) {
  bool result = false;
  pthread_t thread;
  const SignalsBlocked blocked;
  if (pthread_create(&thread, nullptr, try_it, &result) == 0) pthread_join(thread, nullptr);
  return Napi::Boolean::New(info.Env(), result);
}

}  // namespace

void define_source_filter(Napi::Env env, Napi::Object exports) {
  exports.Set("canFilterSources", Napi::Function::New(env, can_filter, "canFilterSources"));
}

}  // namespace dfjail
