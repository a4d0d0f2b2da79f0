#pragma once
// A stub for compiling only: see README.md.
#include <stddef.h>
#include <stdint.h>
typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
typedef unsigned long u_long;
typedef uint8_t u_int8_t;
typedef uint16_t u_int16_t;
typedef uint32_t u_int32_t;
typedef uint64_t u_int64_t;
typedef char* caddr_t;
typedef long ssize_t;
typedef int64_t off_t;
typedef uint64_t ino_t;
typedef uint32_t nlink_t;
typedef uint32_t dev_t;
typedef uint16_t mode_t;
typedef uint32_t uid_t;
typedef uint32_t gid_t;
typedef int32_t pid_t;
typedef int32_t lwpid_t;
typedef int64_t blkcnt_t;
typedef int64_t blksize_t;
typedef long time_t;
typedef long suseconds_t;
typedef int64_t rlim_t;
typedef uint32_t socklen_t;
typedef uint8_t sa_family_t;
typedef uint16_t in_port_t;
typedef uint32_t in_addr_t;
typedef int clockid_t;
typedef struct {
  unsigned int bits[4];
} sigset_t;
struct timespec {
  time_t tv_sec;
  long tv_nsec;
};
struct timeval {
  time_t tv_sec;
  suseconds_t tv_usec;
};
