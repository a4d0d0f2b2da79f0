#include "attempt.h"

#include <fcntl.h>

/* SECONDS ONE OTHER: exchanges two names as fast as the kernel does it. */
static long exchange(char** args) {
  double end = now() + atof(args[0]);
  long n = 0;
  printf("exchanging\n");
  fflush(stdout);
  while (now() < end) {
    for (int i = 0; i < 100; i++, n++) {
      if (exchange_names(args[1], args[2]) < 0) return -1;
    }
  }
  printf("exchanged %ld\n", n);
  return 0;
}

/* SECONDS PLACE TARGET: a link at PLACE, there and gone again, whatever else is made there meanwhile. */
static long plant(char** args) {
  double end = now() + atof(args[0]);
  char draft[4096];
  snprintf(draft, sizeof draft, "%s.planted", args[1]);
  printf("planting\n");
  fflush(stdout);
  while (now() < end) {
    symlink(args[2], draft);
    rename(draft, args[1]);
    usleep(50);
    unlink(args[1]);
    usleep(200);
  }
  return 0;
}

/* SECONDS PATH SIZE: a file that is small and huge by turns, without taking any room. */
static long inflate(char** args) {
  double end = now() + atof(args[0]);
  long long size = atoll(args[2]);
  int fd = open(args[1], O_RDWR);
  printf("inflating\n");
  fflush(stdout);
  while (now() < end) {
    for (int i = 0; i < 100; i++) {
      if (ftruncate(fd, size) < 0 || ftruncate(fd, 4096) < 0) return -1;
    }
  }
  return 0;
}

const struct attempt loop_attempts[] = {
    {"exchange", exchange}, {"plant", plant}, {"inflate", inflate}, {NULL, NULL}};
