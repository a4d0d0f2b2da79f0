#include "dragonfly_arguments.hh"

#include <limits.h>

#include <string>

namespace dfjail {
namespace {

bool refuse(const Napi::CallbackInfo& info, const char* expected) {
  Napi::TypeError::New(info.Env(), std::string("Expected ") + expected)
      .ThrowAsJavaScriptException();
  return false;
}

bool get_integer(const Napi::Value& value, std::vector<int>* out) {
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= INT_MIN && number <= INT_MAX)) return false;
  out->push_back(static_cast<int>(number));
  return out->back() == number;
}

}  // namespace

bool get_integers(const Napi::CallbackInfo& info, size_t index, const char* expected,
                  size_t minimum, size_t maximum, std::vector<int>* out) {
  if (!info[index].IsArray()) return refuse(info, expected);
  const auto array = info[index].As<Napi::Array>();
  const uint32_t length = array.Length();
  if (length < minimum || length > maximum) return refuse(info, expected);
  for (uint32_t i = 0; i < length; i++) {
    const Napi::Value item = array.Get(i);
    if (info.Env().IsExceptionPending()) return false;  // a getter that throws
    if (!get_integer(item, out)) return refuse(info, expected);
  }
  return true;
}

}  // namespace dfjail
