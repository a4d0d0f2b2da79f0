#include "promise_worker.hh"

#include "errors.hh"

namespace dfjail {

Napi::Value PromiseWorker::start() {
  const Napi::Env env = Env();
  napi_value promise = nullptr;
  if (napi_create_promise(env, &deferred_, &promise) != napi_ok) {
    delete this;
    return env.Undefined();
  }
  Queue();
  return Napi::Value(env, promise);
}

// Through the C functions, whose failures can be looked at: in an ending environment they all fail.
void PromiseWorker::OnOK() {
  const Napi::Env env = Env();
  if (!succeeded_) {
    napi_reject_deferred(env, deferred_, make_error(env, error_));
    return;
  }
  if (napi_resolve_deferred(env, deferred_, result(env)) == napi_ok) delivered();
}

}  // namespace dfjail
