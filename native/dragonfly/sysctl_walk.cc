#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include <sys/sysctl.h>

#include "sysctl.hh"

namespace dfjail {
namespace {

// The kernel's own questions about its tree: {0, question, mib…}.
enum Question { kName = 1, kNext = 2, kType = 4, kDescription = 5 };

bool ask(Question question, const Mib& mib, void* answer, size_t* size) {
  int request[kMaxMib + 2] = {0, question};
  if (mib.length > kMaxMib) {
    errno = EINVAL;
    return false;
  }
  memcpy(request + 2, mib.at, mib.length * sizeof(int));
  return ::sysctl(request, static_cast<u_int>(mib.length + 2), answer, size, nullptr, 0) == 0;
}

bool ask_text(Question question, const Mib& mib, char* text, size_t size) {
  if (size == 0) return false;
  size_t used = size - 1;
  if (!ask(question, mib, text, &used)) return false;
  text[used] = '\0';
  return true;
}

}  // namespace

bool sysctl_next(const Mib& mib, Mib* next) {
  Mib from = mib;
  if (from.length == 0) from.length = 1;  // {0}: below everything
  size_t size = sizeof next->at;
  if (!ask(kNext, from, next->at, &size)) return false;
  next->length = size / sizeof(int);
  return true;
}

bool sysctl_name(const Mib& mib, char* name, size_t size) {
  return ask_text(kName, mib, name, size);
}

bool sysctl_type(const Mib& mib, uint32_t* kind, char* format, size_t size) {
  char answer[128] = {};
  size_t used = sizeof answer - 1;
  if (size == 0 || !ask(kType, mib, answer, &used) || used < sizeof *kind) return false;
  memcpy(kind, answer, sizeof *kind);
  const size_t length = strnlen(answer + sizeof *kind, used - sizeof *kind);
  const size_t taken = length < size ? length : size - 1;
  memcpy(format, answer + sizeof *kind, taken);
  format[taken] = '\0';
  return true;
}

bool sysctl_description(const Mib& mib, char* text, size_t size) {
  return ask_text(kDescription, mib, text, size);
}

}  // namespace dfjail
