#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>

#include <sys/sysctl.h>

#include "sysctl.hh"

namespace dfjail {
namespace {

constexpr int kTries = 16;

bool is_worth_another_try(int number) { return number == ENOMEM || number == ERANGE; }

}  // namespace

bool sysctl_get(const Mib& mib, void* value, size_t* size) {
  return ::sysctl(const_cast<int*>(mib.at), static_cast<u_int>(mib.length), value, size, nullptr,
                  0) == 0;
}

void* sysctl_get_all(const Mib& mib, size_t slack, size_t* size) {
  size_t room = 0;
  for (int i = 0; i < kTries; i++) {
    size_t needed = 0;
    if (!sysctl_get(mib, nullptr, &needed) && !is_worth_another_try(errno)) return nullptr;
    // After ENOMEM the stored size is the one we gave: grow from our own.
    needed += needed / 8 + slack;
    room = needed > room + room / 2 ? needed : room + room / 2;
    void* bytes = malloc(room + 1);
    if (bytes == nullptr) return nullptr;
    *size = room;
    if (sysctl_get(mib, bytes, size)) {
      static_cast<char*>(bytes)[*size] = '\0';  // jail.list comes without
      return bytes;
    }
    const int number = errno;
    free(bytes);
    errno = number;
    if (!is_worth_another_try(number)) return nullptr;
  }
  return nullptr;
}

bool sysctl_get_int(const char* name, int* value) {
  Mib mib;
  size_t size = sizeof *value;
  return sysctl_find(name, &mib) && sysctl_get(mib, value, &size) && size == sizeof *value;
}

bool sysctl_exists(const char* name) {
  Mib mib;
  return sysctl_find(name, &mib);
}

}  // namespace dfjail
