#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
struct stat {
  ino_t st_ino;
  nlink_t st_nlink;
  dev_t st_dev;
  mode_t st_mode;
  uint16_t st_padding1;
  uid_t st_uid;
  gid_t st_gid;
  dev_t st_rdev;
  struct timespec st_atim;
  struct timespec st_mtim;
  struct timespec st_ctim;
  off_t st_size;
  blkcnt_t st_blocks;
  uint32_t stub_old_blksize;
  uint32_t st_flags;
  uint32_t st_gen;
  int32_t st_lspare;
  blksize_t st_blksize;
  int64_t st_qspare2;
};
#define S_IFCHR 0020000
#define S_ISDIR(m) (((m) & 0170000) == 0040000)
#define S_ISREG(m) (((m) & 0170000) == 0100000)
#define S_ISSOCK(m) (((m) & 0170000) == 0140000)
#define S_IWGRP 0000020
#define S_IWOTH 0000002
extern "C" {
int stat(const char*, struct stat*);
int fstat(int, struct stat*);
int lstat(const char*, struct stat*);
int fstatat(int, const char*, struct stat*, int);
int mkdir(const char*, mode_t);
int mkdirat(int, const char*, mode_t);
mode_t umask(mode_t);
int chmod(const char*, mode_t);
int mkfifo(const char*, mode_t);
}
