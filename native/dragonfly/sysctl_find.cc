#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include <sys/sysctl.h>

#include "sysctl.hh"

namespace dfjail {

bool sysctl_find(const char* name, Mib* mib) {
  const int question[2] = {0, 3};  // name to number
  size_t size = sizeof mib->at;
  const size_t length = strlen(name);
  if (length == 0) {  // the kernel answers EINVAL or nothing, by version
    errno = ENOENT;
    return false;
  }
  if (::sysctl(const_cast<int*>(question), 2, mib->at, &size, const_cast<char*>(name), length) <
      0) {
    return false;
  }
  mib->length = size / sizeof(int);
  return true;
}

}  // namespace dfjail
