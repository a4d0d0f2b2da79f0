// Writes as many bytes as it is told to stdout, as fast as they are taken.
#include <stdlib.h>
#include <unistd.h>

static char block[256 * 1024];

int main(int argc, char **argv) {
  long long left = argc > 1 ? atoll(argv[1]) : 0;
  while (left > 0) {
    ssize_t n = write(1, block, left < (long long)sizeof block ? (size_t)left : sizeof block);
    if (n <= 0) return 1;
    left -= n;
  }
  return 0;
}
