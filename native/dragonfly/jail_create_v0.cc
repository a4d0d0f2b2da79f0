#include "jail_calls.hh"
#include "system_jail.hh"

namespace dfjail {

int jail_create_v0(const char* path, const char* hostname, uint32_t address) {
  jail_v0 request = {};
  request.version = 0;
  request.path = const_cast<char*>(path);
  request.hostname = const_cast<char*>(hostname);
  request.ip_number = address;
  // The call takes either; the kernel looks at the version first.
  return ::jail(reinterpret_cast<struct ::jail*>(&request));
}

}  // namespace dfjail
