// Writes as many bytes as it is told to stdout, so many at a time, as fast as they are taken.
#include <stdlib.h>
#include <unistd.h>

static char block[256 * 1024];

int main(int argc, char **argv) {
  long long left = argc > 2 ? atoll(argv[1]) : 0;
  const size_t most = argc > 2 ? (size_t)atol(argv[2]) : 0;
  if (most > sizeof block) return 2;
  while (left > 0) {
    ssize_t n = write(1, block, left < (long long)most ? (size_t)left : most);
    if (n <= 0) return 1;
    left -= n;
  }
  return 0;
}
