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
#include <sys/syscall.h>
#include <unistd.h>

struct attempt {
  const char* name;
  long (*run)(char** args); /* the arguments after the name, and NULL; below 0: errno */
};

extern const struct attempt file_attempts[];
extern const struct attempt mount_attempts[];
extern const struct attempt kernel_attempts[];
extern const struct attempt process_attempts[];
extern const struct attempt network_attempts[];
extern const struct attempt limit_attempts[];
extern const struct attempt loop_attempts[];
extern const struct attempt call_attempts[];
extern const struct attempt netlink_attempts[];

/* Numbers of system calls that old headers lack; the same on all architectures. */
enum {
  CALL_OPEN_TREE = 428,
  CALL_MOVE_MOUNT = 429,
  CALL_FSOPEN = 430,
  CALL_FSCONFIG = 431,
  CALL_FSMOUNT = 432,
  CALL_PIDFD_OPEN = 434,
  CALL_CLONE3 = 435,
  CALL_PIDFD_GETFD = 438,
  CALL_MOUNT_SETATTR = 442,
};

static inline long fail_with(int number) {
  errno = number;
  return -1;
}
