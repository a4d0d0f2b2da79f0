#pragma once
// A stub for compiling only: see README.md.
#include <sys/resource.h>
#include <sys/types.h>
enum procstat { SIDL = 1, SACTIVE = 2, SSTOP = 3, SZOMB = 4, SCORE = 5 };
enum lwpstat { LSRUN = 1, LSSTOP = 2, LSSLEEP = 3 };
#define P_TRACED 0x00800
#define P_WEXIT 0x02000
#define P_JAILED 0x1000000
struct kinfo_lwp {
  int32_t kl_pid;
  int32_t kl_tid;
  int32_t kl_flags;
  int32_t kl_stat;
  int32_t kl_lock;
  int32_t kl_tdflags;
  int32_t kl_mpcount;
  int32_t kl_prio;
  int32_t kl_tdprio;
  uint16_t kl_rtprio[2];
  uint64_t kl_uticks;
  uint64_t kl_sticks;
  uint64_t kl_iticks;
  uint64_t kl_cpticks;
  int32_t kl_pctcpu;
  int32_t kl_slptime;
  int32_t kl_origcpu;
  int32_t kl_estcpu;
  int32_t kl_cpuid;
  rusage kl_ru;
  sigset_t kl_siglist;
  sigset_t kl_sigmask;
  uint64_t kl_wchan;
  char kl_wmesg[9];
  char kl_comm[17];
};
struct kinfo_proc {
  uint64_t kp_paddr;
  int32_t kp_flags;
  procstat kp_stat;
  int32_t kp_lock;
  int32_t kp_acflag;
  int32_t kp_traceflag;
  uint64_t kp_fd;
  sigset_t kp_siglist;
  sigset_t kp_sigignore;
  sigset_t kp_sigcatch;
  int32_t kp_sigflag;
  timeval kp_start;
  char kp_comm[17];
  uid_t kp_uid;
  uint16_t kp_ngroups;
  gid_t kp_groups[16];
  int32_t kp_ruid;
  int32_t kp_svuid;
  int32_t kp_rgid;
  int32_t kp_svgid;
  int32_t kp_pid;
  int32_t kp_ppid;
  int32_t kp_pgid;
  int32_t kp_jobc;
  int32_t kp_sid;
  char kp_login[40];
  dev_t kp_tdev;
  int32_t kp_tpgid;
  int32_t kp_tsid;
  uint16_t kp_exitstat;
  int32_t kp_nthreads;
  int32_t kp_nice;
  int32_t kp_swtime;
  uint64_t kp_vm_map_size;
  uint64_t kp_vm_rssize;
  uint64_t kp_vm_swrss;
  uint64_t kp_vm_tsize;
  uint64_t kp_vm_dsize;
  uint64_t kp_vm_ssize;
  int32_t kp_vm_prssize;
  int32_t kp_jailid;
  rusage kp_ru;
  rusage kp_cru;
  int32_t kp_auxflags;
  kinfo_lwp kp_lwp;
  uint64_t kp_ktaddr;
  int32_t kp_spare[2];
};
