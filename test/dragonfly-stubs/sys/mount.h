#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
#define MFSNAMELEN 16
#define MNAMELEN 80
typedef struct fsid {
  int32_t val[2];
} fsid_t;
struct statfs {
  long f_spare2;
  long f_bsize;
  long f_iosize;
  long f_blocks;
  long f_bfree;
  long f_bavail;
  long f_files;
  long f_ffree;
  fsid_t f_fsid;
  uid_t f_owner;
  int f_type;
  int f_flags;
  long f_syncwrites;
  long f_asyncwrites;
  char f_fstypename[MFSNAMELEN];
  char f_mntonname[MNAMELEN];
  long f_syncreads;
  long f_asyncreads;
  short f_spares1;
  char f_mntfromname[MNAMELEN];
  short f_spares2;
  long f_spare[2];
};
#define MNT_RDONLY 0x1
#define MNT_NOEXEC 0x4
#define MNT_NOSUID 0x8
#define MNT_UPDATE 0x10000
#define MNT_FORCE 0x80000
#define MNT_NOWAIT 2
extern "C" {
int mount(const char*, const char*, int, void*);
int unmount(const char*, int);
int statfs(const char*, struct statfs*);
int fstatfs(int, struct statfs*);
int getfsstat(struct statfs*, long, int);
}
