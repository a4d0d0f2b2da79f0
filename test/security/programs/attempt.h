/* What a jail must not allow, tried. Every attempt is harmless where it succeeds: it is made on things of the test's
 * own, or with arguments that no kernel takes (then the error tells whether the right was there). */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct attempt {
  const char* name;
  long (*run)(char** args); /* the arguments after the name, and NULL; below 0: errno */
};

/* Of every system. */
extern const struct attempt file_attempts[];
extern const struct attempt process_attempts[];
extern const struct attempt network_attempts[];
extern const struct attempt limit_attempts[];
extern const struct attempt loop_attempts[];

/* What each system does in its own way: linux/ and dragonfly/ each have all of it. */
extern const struct attempt* const system_attempts[]; /* and NULL */
/* The control of what only a root may do, without a jail: namespaces of one's own where there are any. */
void enter_namespaces(void);
/* Makes it possible to call chroot(2), where that takes something. */
void prepare_chroot(void);
/* Lets a socket bind what is not ours, where there is an option for that; below 0: there is none. */
int make_free(int fd, int family);
/* Exchanges two names as fast as the kernel does it; one of them may be missing for a moment. */
int exchange_names(const char* one, const char* other);
/* Lets everybody trace this process, where that has to be allowed. */
void allow_tracing(void);

static inline long fail_with(int number) {
  errno = number;
  return -1;
}

/* Seconds. */
static inline double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}
