#include "../own_path.h"

#include <sys/types.h>
#include <sys/sysctl.h>

int own_path(char *path, size_t size) {
  const int mib[] = {CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1};
  return sysctl(mib, 4, path, &size, NULL, 0);
}
