#include "tap.hh"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

namespace selftest {
namespace {

int count = 0;
int failed = 0;

void print(const char* prefix, const char* format, va_list arguments) {
  char text[512];
  vsnprintf(text, sizeof text, format, arguments);
  for (char* c = text; *c != '\0'; c++) {
    if (*c == '\n') *c = ' ';
  }
  printf("%s%s\n", prefix, text);
  fflush(stdout);
}

}  // namespace

// The compiler checks these by their attribute.
// NOLINTNEXTLINE(cert-dcl50-cpp)
bool check(bool ok, const char* format, ...) {
  char prefix[32];
  va_list arguments;
  count++;
  failed += ok ? 0 : 1;
  snprintf(prefix, sizeof prefix, "%s %d - ", ok ? "ok" : "not ok", count);
  va_start(arguments, format);
  print(prefix, format, arguments);
  va_end(arguments);
  return ok;
}

bool is(long long got, long long wanted, const char* what) {
  if (got == wanted) return check(true, "%s", what);
  return check(false, "%s: got %lld, wanted %lld", what, got, wanted);
}

bool is_text(const char* got, const char* wanted, const char* what) {
  if (strcmp(got, wanted) == 0) return check(true, "%s", what);
  return check(false, "%s: got \"%s\", wanted \"%s\"", what, got, wanted);
}

void skip(const char* what, const char* reason) {
  count++;
  printf("ok %d - %s # SKIP %s\n", count, what, reason);
  fflush(stdout);
}

// NOLINTNEXTLINE(cert-dcl50-cpp)
void note(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print("# ", format, arguments);
  va_end(arguments);
}

int finish() {
  printf("1..%d\n", count);
  if (failed > 0) printf("# %d of %d failed\n", failed, count);
  fflush(stdout);
  return failed == 0 ? 0 : 1;
}

}  // namespace selftest
