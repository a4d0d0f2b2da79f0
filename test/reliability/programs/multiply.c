// Forks without end, and each of those too; with an argument each leaves its session first.
#include <unistd.h>

int main(int argc, char **argv) {
  (void)argv;
  if (write(1, "on\n", 3) != 3) return 1;
  for (;;) {
    if (fork() == 0 && argc > 1) setsid();
  }
}
