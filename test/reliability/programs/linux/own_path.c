#include "../own_path.h"

#include <unistd.h>

int own_path(char *path, size_t size) {
  const ssize_t n = readlink("/proc/self/exe", path, size - 1);
  if (n < 0) return -1;
  path[n] = '\0';
  return 0;
}
