#pragma once

#include <errno.h>
#include <stdlib.h>

namespace dfjail {

template <typename Wide, typename Number>
bool narrow(Wide wide, Number* out) {
  const Number number = static_cast<Number>(wide);
  if (static_cast<Wide>(number) != wide) return false;
  *out = number;
  return true;
}

// The decimal number at *text, blanks before it included; *text is then behind it. False, and
// nothing changed, when there is none or it does not fit.
template <typename Number>
bool take_number(const char** text, Number* out) {
  constexpr bool kSigned = static_cast<Number>(-1) < static_cast<Number>(0);
  char* end = nullptr;
  errno = 0;
  bool fits;
  if constexpr (kSigned) {
    const long long wide = strtoll(*text, &end, 10);
    fits = end != *text && errno == 0 && narrow(wide, out);
  } else {
    const unsigned long long wide = strtoull(*text, &end, 10);
    fits = end != *text && errno == 0 && narrow(wide, out);
  }
  if (fits) *text = end;
  return fits;
}

}  // namespace dfjail
