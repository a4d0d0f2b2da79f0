// Has so many children asleep, writes a byte when they are there, and ends with them at the end of
// its stdin.
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char byte;
  int count = argc > 1 ? atoi(argv[1]) : 0;
  for (int i = 0; i < count; i++) {
    if (fork() != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  if (write(1, "x", 1) != 1) return 1;
  while (read(0, &byte, 1) > 0) {
  }
  return 0;
}
