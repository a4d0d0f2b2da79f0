#pragma once
#include "../attempt.h"

#include <sys/syscall.h>

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
