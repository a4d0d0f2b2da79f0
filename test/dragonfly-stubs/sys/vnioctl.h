#pragma once
// A stub for compiling only: see README.md.
#include <sys/ioccom.h>
#include <sys/types.h>
struct vn_ioctl {
  char* vn_file;
  int64_t vn_size;
};
#define VNIOCATTACH _IOWR('F', 0, struct vn_ioctl)
#define VNIOCDETACH _IOWR('F', 1, struct vn_ioctl)
