#include "boot.hh"

#include <stdio.h>

#include "processes.hh"

namespace dfjail {

bool boot_id(char* text, size_t size) {
  ProcessList list;
  Error ignored;
  if (!list.read(false, 1, &ignored) || list.size() != 1) return false;
  const kinfo_proc& init = *list.begin();
  snprintf(text, size, "%lld.%06ld", static_cast<long long>(init.kp_start.tv_sec),
           static_cast<long>(init.kp_start.tv_usec));
  return true;
}

}  // namespace dfjail
