#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
#define O_RDONLY 0x0
#define O_WRONLY 0x1
#define O_RDWR 0x2
#define O_NONBLOCK 0x4
#define O_APPEND 0x8
#define O_NOFOLLOW 0x100
#define O_CREAT 0x200
#define O_TRUNC 0x400
#define O_EXCL 0x800
#define O_NOCTTY 0x8000
#define O_CLOEXEC 0x20000
#define O_DIRECTORY 0x8000000
#define F_DUPFD 0
#define F_GETFD 1
#define FWRITE 0x0002
#define F_SETFD 2
#define F_GETLK 7
#define F_SETLK 8
#define F_DUPFD_CLOEXEC 17
#define F_UNLCK 2
#define F_WRLCK 3
#define FD_CLOEXEC 1
#define LOCK_EX 2
#define AT_FDCWD (-328243)
#define AT_SYMLINK_NOFOLLOW 1
#define AT_REMOVEDIR 2
struct flock {
  off_t l_start;
  off_t l_len;
  pid_t l_pid;
  short l_type;
  short l_whence;
};
extern "C" {
int open(const char*, int, ...);
int openat(int, const char*, int, ...);
int fcntl(int, int, ...);
int flock(int, int);
}
