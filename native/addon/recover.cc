#include "recover.hh"

#include "arguments.hh"
#include "errors.hh"
#include "promise_worker.hh"

namespace dfjail {
namespace {

Napi::Object describe(Napi::Env env, const Failure& failure) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("what", failure.what);
  object.Set("error", make_error(env, failure.error));
  return object;
}

Napi::Object describe(Napi::Env env, const Recovered& recovered) {
  Napi::Object object = Napi::Object::New(env);
  Napi::Array undone = Napi::Array::New(env);
  Napi::Array failed = Napi::Array::New(env);
  for (const std::string& what : recovered.undone) undone.Set(undone.Length(), what);
  for (const Failure& failure : recovered.failed) {
    failed.Set(failed.Length(), describe(env, failure));
  }
  object.Set("jid", Napi::Number::New(env, recovered.jid));
  object.Set("name", recovered.name.empty() ? env.Null() : Napi::String::New(env, recovered.name));
  object.Set("undone", undone);
  object.Set("failed", failed);
  return object;
}

class Recover : public PromiseWorker {
 public:
  Recover(Napi::Env env, std::string folder, uint32_t jid)
      : PromiseWorker(env, "Recover"), folder_(std::move(folder)), jid_(jid) {}

 private:
  bool run(Error* error) override { return recover(folder_, jid_, &recovery_, error); }
  Napi::Value result(Napi::Env env) override {
    Napi::Array list = Napi::Array::New(env);
    for (const Recovered& jail : recovery_.jails) list.Set(list.Length(), describe(env, jail));
    return list;
  }

  std::string folder_;
  uint32_t jid_;
  Recovery recovery_;
};

Napi::Value start_recover(const Napi::CallbackInfo& info) {
  std::string folder;
  int jid = 0;
  if (!get_text(info, 0, "stateDir", &folder) || !get_integer(info, 1, "jid", 0, INT32_MAX, &jid)) {
    return info.Env().Undefined();
  }
  return (new Recover(info.Env(), std::move(folder), static_cast<uint32_t>(jid)))->start();
}

}  // namespace

void define_recover(Napi::Env env, Napi::Object exports) {
  exports.Set("recover", Napi::Function::New(env, start_recover, "recover"));
}

}  // namespace dfjail
