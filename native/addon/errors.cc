#include "errors.hh"

#include <stdio.h>
#include <string.h>

#include <string>

#include "arguments.hh"

namespace dfjail {
namespace {

struct ErrnoName {
  int number;
  const char* name;
};

constexpr ErrnoName kNames[] = {
#include "errno_names.inc"
};

// strerror_r comes in two kinds: GNU's returns the text, the other one fills the buffer.
[[maybe_unused]] const char* text_of(const char* result, const char*) { return result; }
[[maybe_unused]] const char* text_of(int, const char* buffer) { return buffer; }

std::string errno_message(int number) {
  char buffer[256] = "";
  return text_of(strerror_r(number, buffer, sizeof buffer), buffer);
}

std::string describe(const Error& error, const char* code) {
  std::string text = std::string(code) + ": ";
  text += error.number != 0 ? errno_message(error.number) : std::string(error.detail);
  if (error.syscall[0] != '\0') text += std::string(", ") + error.syscall;
  if (error.path[0] != '\0') text += std::string(" '") + error.path + "'";
  return text;
}

void set_text(Napi::Object object, const char* key, const char* text) {
  if (text[0] != '\0') object.Set(key, Napi::String::New(object.Env(), text));
}

Napi::Value name_of(const Napi::CallbackInfo& info) {
  int number = 0;
  if (!get_integer(info, 0, "errno", 0, INT32_MAX, &number)) return info.Env().Undefined();
  char buffer[16];
  return Napi::String::New(info.Env(), errno_name(number, buffer));
}

Napi::Value message_of(const Napi::CallbackInfo& info) {
  int number = 0;
  if (!get_integer(info, 0, "errno", 0, INT32_MAX, &number)) return info.Env().Undefined();
  return Napi::String::New(info.Env(), errno_message(number));
}

}  // namespace

const char* errno_name(int number, char (&buffer)[16]) {
  for (const ErrnoName& known : kNames) {
    if (known.number == number) return known.name;
  }
  snprintf(buffer, sizeof buffer, "E%d", number);
  return buffer;
}

Napi::Value make_error(Napi::Env env, const Error& error) {
  char buffer[16];
  const char* code = error.code[0] != '\0' ? error.code : errno_name(error.number, buffer);
  const Napi::Error made = Napi::Error::New(env, describe(error, code));
  if (made.IsEmpty()) return env.Undefined();
  Napi::Object object = made.Value();
  set_text(object, "code", code);
  if (error.number != 0) object.Set("errno", Napi::Number::New(env, -error.number));
  set_text(object, "syscall", error.syscall);
  set_text(object, "step", error.step);
  set_text(object, "path", error.path);
  return object;
}

Napi::Value throw_error(Napi::Env env, const Error& error) {
  const Napi::Value made = make_error(env, error);
  napi_throw(env, made);
  return env.Undefined();
}

Napi::Value throw_errno(Napi::Env env, const char* syscall, const char* path, int number) {
  Error error;
  fail(&error, "", syscall, path, number);
  return throw_error(env, error);
}

void define_errors(Napi::Env env, Napi::Object exports) {
  exports.Set("errnoName", Napi::Function::New(env, name_of, "errnoName"));
  exports.Set("errnoMessage", Napi::Function::New(env, message_of, "errnoMessage"));
}

}  // namespace dfjail
