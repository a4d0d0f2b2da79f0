#include "arguments.hh"

#include <math.h>

namespace dfjail {
namespace {

bool refuse(const Napi::CallbackInfo& info, const char* name, const std::string& expected) {
  Napi::TypeError::New(info.Env(), "Expected " + expected + " for " + name)
      .ThrowAsJavaScriptException();
  return false;
}

// One call of Node's says both what it is and whether it is that: each costs more than all the rest
// here.
bool is_integer(const Napi::Value& value, int minimum, int maximum, int* out) {
  double number = 0;
  if (napi_get_value_double(value.Env(), value, &number) != napi_ok) return false;
  if (!(number >= minimum && number <= maximum) || floor(number) != number) return false;
  *out = static_cast<int>(number);
  return true;
}

}  // namespace

bool get_integer(const Napi::CallbackInfo& info, size_t index, const char* name, int minimum,
                 int maximum, int* out) {
  if (is_integer(info[index], minimum, maximum, out)) return true;
  return refuse(info, name,
                "an integer from " + std::to_string(minimum) + " to " + std::to_string(maximum));
}

bool get_text(const Napi::CallbackInfo& info, size_t index, const char* name, std::string* out) {
  if (!info[index].IsString()) return refuse(info, name, "a string");
  *out = info[index].As<Napi::String>().Utf8Value();
  if (!out->empty() && out->find('\0') == std::string::npos) return true;
  return refuse(info, name, "a string that is not empty and has no NUL");
}

bool get_descriptor(const Napi::CallbackInfo& info, size_t index, const char* name, int* out) {
  return is_integer(info[index], 0, INT32_MAX, out) || refuse(info, name, "a file descriptor");
}

bool get_descriptors(const Napi::CallbackInfo& info, size_t index, const char* name, size_t maximum,
                     std::vector<int>* out) {
  const auto refuse_list = [&] {
    return refuse(info, name,
                  "an array of at most " + std::to_string(maximum) + " file descriptors");
  };
  uint32_t length = 0;
  if (napi_get_array_length(info.Env(), info[index], &length) != napi_ok) return refuse_list();
  if (length > maximum) return refuse_list();
  for (uint32_t i = 0; i < length; i++) {
    const Napi::Value item = info[index].As<Napi::Array>().Get(i);
    int fd = -1;
    if (info.Env().IsExceptionPending()) return false;  // a getter that throws
    if (!is_integer(item, 0, INT32_MAX, &fd)) return refuse_list();
    out->push_back(fd);
  }
  return true;
}

bool get_bytes(const Napi::CallbackInfo& info, size_t index, const char* name,
               const uint8_t** bytes, size_t* size) {
  napi_typedarray_type type = napi_int8_array;
  void* data = nullptr;
  const napi_status told = napi_get_typedarray_info(info.Env(), info[index], &type, size, &data,
                                                    nullptr, nullptr);  // a byte is an element
  if (told != napi_ok || type != napi_uint8_array) return refuse(info, name, "a Uint8Array");
  *bytes = static_cast<const uint8_t*>(data);
  return (*bytes != nullptr && *size > 0) || refuse(info, name, "a Uint8Array that is not empty");
}

}  // namespace dfjail
