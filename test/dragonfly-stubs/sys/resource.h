#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
#define PRIO_PROCESS 0
#define PRIO_MAX 20
struct rusage {
  timeval ru_utime;
  timeval ru_stime;
  long ru_maxrss;
  long ru_ixrss;
  long ru_idrss;
  long ru_isrss;
  long ru_minflt;
  long ru_majflt;
  long ru_nswap;
  long ru_inblock;
  long ru_oublock;
  long ru_msgsnd;
  long ru_msgrcv;
  long ru_nsignals;
  long ru_nvcsw;
  long ru_nivcsw;
};
struct rlimit {
  rlim_t rlim_cur;
  rlim_t rlim_max;
};
#define RLIMIT_CPU 0
#define RLIMIT_FSIZE 1
#define RLIMIT_DATA 2
#define RLIMIT_STACK 3
#define RLIMIT_CORE 4
#define RLIMIT_RSS 5
#define RLIMIT_MEMLOCK 6
#define RLIMIT_NPROC 7
#define RLIMIT_NOFILE 8
#define RLIMIT_SBSIZE 9
#define RLIMIT_AS 10
#define RLIMIT_VMEM 10
#define RLIMIT_POSIXLOCKS 11
#define RLIM_INFINITY ((rlim_t)0x7FFFFFFFFFFFFFFFL)
extern "C" {
int getrlimit(int, struct rlimit*);
int setrlimit(int, const struct rlimit*);
int getpriority(int, int);
int setpriority(int, int, int);
}
