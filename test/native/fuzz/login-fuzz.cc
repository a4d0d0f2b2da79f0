// A jail's /etc/login.conf, which its root writes: what the monitor makes of a class in it.
//
// Input: the name of the class (16 bytes at most, up to a NUL), then the file.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../../native/monitor/login_class.hh"
#include "../../../native/monitor/spec.hh"

namespace {

constexpr size_t kLongestName = 16;

void look_at(const dfjail::ClassContext& context) {
  if (context.umask > 0777 || context.priority < -52 || context.priority > 52) abort();
  for (const dfjail::ClassLimit& limit : context.limits) {
    const bool bad_soft = limit.soft > INT64_MAX && limit.soft != dfjail::kUnlimited;
    const bool bad_hard = limit.hard > INT64_MAX && limit.hard != dfjail::kUnlimited;
    if (bad_soft || bad_hard) abort();
  }
}

void look_at(const dfjail::ClassEnvironment& environment) {
  const char* at = environment.text;
  if (environment.count > dfjail::kMaxClassVariables) abort();
  for (size_t i = 0; i < environment.count; i++) {
    const char* equals = strchr(at, '=');
    if (equals == nullptr || equals == at) abort();
    at += strlen(at) + 1;
  }
  if (at != environment.text + environment.size) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  char name[kLongestName + 1] = "";
  size_t at = 0;
  for (; at < kLongestName && at < size && data[at] != 0; at++)
    name[at] = static_cast<char>(data[at]);
  if (at < size && data[at] == 0) at++;
  char* text = static_cast<char*>(malloc(size - at + 1));
  if (text == nullptr) return 0;
  memcpy(text, data + at, size - at);
  text[size - at] = '\0';
  static dfjail::LoginClass login_class;
  if (login_class.find(text, name) == dfjail::ClassLookup::kFound) {
    dfjail::ClassContext context;
    read_context(login_class, &context);
    look_at(context);
    static dfjail::ClassEnvironment environment;
    environment.count = environment.size = 0;
    if (read_environment(login_class, "joe", "/home/joe", &environment)) look_at(environment);
  }
  free(text);
  return 0;
}
