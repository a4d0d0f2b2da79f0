#include "dragonfly_abi.hh"

#include <unistd.h>

#include "../dragonfly/abi.hh"

namespace dfjail {
namespace {

// An array of { structure, field, offset, size }; an empty field stands for the whole structure.
Napi::Value compiled_fields(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  size_t count = 0;
  const AbiField* table = abi_fields(&count);
  Napi::Array rows = Napi::Array::New(env, count);
  for (uint32_t i = 0; i < count; i++) {
    const Napi::HandleScope scope(env);
    Napi::Object row = Napi::Object::New(env);
    row.Set("structure", Napi::String::New(env, table[i].structure));
    row.Set("field", Napi::String::New(env, table[i].field));
    row.Set("offset", Napi::Number::New(env, table[i].offset));
    row.Set("size", Napi::Number::New(env, table[i].size));
    rows.Set(i, row);
  }
  return rows;
}

Napi::Value compiled_constants(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object constants = Napi::Object::New(env);
  size_t count = 0;
  const AbiConstant* table = abi_constants(&count);
  for (const AbiConstant* it = table; it < table + count; it++) {
    constants.Set(it->name, Napi::Number::New(env, static_cast<double>(it->value)));
  }
  constants.Set("PAGE_SIZE", Napi::Number::New(env, getpagesize()));
  return constants;
}

}  // namespace

void define_abi(Napi::Env env, Napi::Object exports) {
  exports.Set("compiledFields", Napi::Function::New(env, compiled_fields, "compiledFields"));
  exports.Set("compiledConstants",
              Napi::Function::New(env, compiled_constants, "compiledConstants"));
}

}  // namespace dfjail
