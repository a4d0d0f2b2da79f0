#include "jail_calls.hh"
#include "system_jail.hh"

namespace dfjail {

int jail_create(const char* path, const char* hostname, const sockaddr_storage* addresses,
                uint32_t count) {
  struct ::jail request = {};
  request.version = 1;
  request.path = const_cast<char*>(path);  // read only; the prototypes are older than const
  request.hostname = const_cast<char*>(hostname);
  request.n_ips = count;
  request.ips = const_cast<sockaddr_storage*>(addresses);
  return ::jail(&request);
}

}  // namespace dfjail
