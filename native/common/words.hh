#pragma once

#include <stddef.h>
#include <string.h>

namespace dfjail {

// The word at *text, blanks before it skipped; *text is then behind it. False when there is none,
// or no room for it.
template <size_t size>
bool take_word(const char** text, char (&out)[size]) {
  const char* begin = *text + strspn(*text, " ");
  const size_t length = strcspn(begin, " ");
  if (length == 0 || length >= size) return false;
  memcpy(out, begin, length);
  out[length] = '\0';
  *text = begin + length;
  return true;
}

}  // namespace dfjail
