#pragma once

#include <errno.h>
#include <string.h>

namespace dfjail {

// What went wrong, in which call, at which step and on what. Plain data, so that it crosses a pipe
// or the protocol as it is; the strings that live longer than a call are copied in.
struct Error {
  int number = 0;         // the system's errno; 0 together with a code is an error of ours
  const char* code = "";  // ERR_JAIL_…, or empty
  const char* syscall = "";
  const char* step = "";
  char path[256] = "";    // what it was about: a path, an address, a name; cut when longer
  char detail[256] = "";  // one sentence for errors of ours

  bool failed() const { return number != 0 || code[0] != '\0'; }
};

// Cuts what does not fit.
template <size_t N>
void copy_text(char (&out)[N], const char* text) {
  const size_t n = text == nullptr ? 0 : strnlen(text, N - 1);
  if (n > 0) memcpy(out, text, n);
  out[n] = '\0';
}

// Both return false, so that a caller can say `return fail(error, …)`.
inline bool fail(Error* error, const char* step, const char* syscall, const char* path = "",
                 int number = errno) {
  error->number = number;
  error->step = step;
  error->syscall = syscall;
  copy_text(error->path, path);
  return false;
}

inline bool fail_with_code(Error* error, const char* step, const char* code, const char* path,
                           const char* detail) {
  error->number = 0;
  error->code = code;
  error->step = step;
  copy_text(error->detail, detail);
  copy_text(error->path, path);
  return false;
}

}  // namespace dfjail
