#include <sys/types.h>

#include <sys/sysctl.h>

#include "sysctl.hh"

namespace dfjail {

bool sysctl_set(const Mib& mib, const void* value, size_t size) {
  return ::sysctl(const_cast<int*>(mib.at), static_cast<u_int>(mib.length), nullptr, nullptr,
                  const_cast<void*>(value), size) == 0;
}

bool sysctl_set_int(const char* name, int value) {
  Mib mib;
  return sysctl_find(name, &mib) && sysctl_set(mib, &value, sizeof value);
}

}  // namespace dfjail
