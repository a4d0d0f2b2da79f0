#pragma once

#include "../common/error.hh"
#include "node_api.hh"

namespace dfjail {

// A piece of work on the thread pool that settles a promise. Frees itself.
class PromiseWorker : public Napi::AsyncWorker {
 public:
  // Starts it; the promise, or nothing when the environment is ending.
  Napi::Value start();

 protected:
  PromiseWorker(Napi::Env env, const char* name) : Napi::AsyncWorker(env, name) {}

  // On the pool. False with an error makes the promise reject.
  virtual bool run(Error* error) = 0;
  virtual Napi::Value result(Napi::Env env) = 0;
  // The promise has been resolved: what it was resolved with is JavaScript's now. Not called when a
  // worker thread is being terminated and cannot be told any more.
  virtual void delivered() {}

 private:
  void Execute() final { succeeded_ = run(&error_); }
  void OnOK() final;

  napi_deferred deferred_ = nullptr;
  bool succeeded_ = false;
  Error error_;
};

}  // namespace dfjail
