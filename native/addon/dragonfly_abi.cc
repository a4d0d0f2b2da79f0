#include "dragonfly_abi.hh"

#include <unistd.h>

#include <string>

#include "../dragonfly/abi.hh"

namespace dfjail {
namespace {

Napi::Array make_place(Napi::Env env, const AbiField& field) {
  Napi::Array place = Napi::Array::New(env, 2);
  place.Set(0U, Napi::Number::New(env, field.offset));
  place.Set(1U, Napi::Number::New(env, field.size));
  return place;
}

// { kinfo_proc: { size: 992, fields: { kp_pid: [220, 4], … } }, … }; a structure comes before its
// fields.
Napi::Object make_structs(Napi::Env env) {
  Napi::Object structs = Napi::Object::New(env);
  Napi::Object fields;
  size_t count = 0;
  const AbiField* table = abi_fields(&count);
  for (const AbiField* field = table; field < table + count; field++) {
    if (field->field[0] != '\0') {
      fields.Set(field->field, make_place(env, *field));
      continue;
    }
    Napi::Object structure = Napi::Object::New(env);
    fields = Napi::Object::New(env);
    structure.Set("size", Napi::Number::New(env, field->size));
    structure.Set("fields", fields);
    structs.Set(field->structure, structure);
  }
  return structs;
}

Napi::Object make_constants(Napi::Env env) {
  Napi::Object constants = Napi::Object::New(env);
  size_t count = 0;
  const AbiConstant* table = abi_constants(&count);
  for (const AbiConstant* it = table; it < table + count; it++) {
    constants.Set(it->name, Napi::Number::New(env, static_cast<double>(it->value)));
  }
  return constants;
}

}  // namespace

void define_abi(Napi::Env env, Napi::Object exports) {
  Napi::Object abi = Napi::Object::New(env);
  abi.Set("structs", make_structs(env));
  abi.Set("constants", make_constants(env));
  abi.Set("pageSize", Napi::Number::New(env, getpagesize()));
  exports.Set("abi", abi);
}

}  // namespace dfjail
