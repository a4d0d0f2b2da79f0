#pragma once

#include <sys/syscall.h>

// The system calls that a jail has, by groups as in systemd.exec(5) and in Docker's default
// profile. What is in none of them is not there (ENOSYS), and so is what a later kernel adds until
// it has been looked at here. Some of these are looked at further by their arguments: see
// filter.cc.
//
// From 424 on numbers are the same on all architectures, and older headers lack the names.
namespace dfjail {

constexpr long kFileCalls[] = {
    SYS_read,
    SYS_write,
    SYS_close,
    SYS_fstat,
    SYS_lseek,
    SYS_pread64,
    SYS_pwrite64,
    SYS_readv,
    SYS_writev,
    SYS_preadv,
    SYS_pwritev,
    SYS_preadv2,
    SYS_pwritev2,
    SYS_ioctl,
    SYS_fcntl,
    SYS_flock,
    SYS_fsync,
    SYS_fdatasync,
    SYS_truncate,
    SYS_ftruncate,
    SYS_getcwd,
    SYS_chdir,
    SYS_fchdir,
    SYS_fchmod,
    SYS_fchown,
    SYS_umask,
    SYS_statfs,
    SYS_fstatfs,
    SYS_chroot,
    SYS_sync,
    SYS_readahead,
    SYS_getdents64,
    SYS_fadvise64,
    SYS_openat,
    SYS_mkdirat,
    SYS_mknodat,
    SYS_fchownat,
    SYS_newfstatat,
    SYS_unlinkat,
    SYS_renameat,
    SYS_linkat,
    SYS_symlinkat,
    SYS_readlinkat,
    SYS_fchmodat,
    SYS_faccessat,
    SYS_splice,
    SYS_tee,
    SYS_vmsplice,
    SYS_utimensat,
    SYS_fallocate,
    SYS_syncfs,
    SYS_renameat2,
    SYS_sendfile,
    SYS_statx,
    SYS_copy_file_range,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_memfd_create,
    SYS_sync_file_range,
    SYS_name_to_handle_at,
    436,  // close_range
    437,  // openat2
    439,  // faccessat2
    452,  // fchmodat2
    468,  // file_getattr
    469,  // file_setattr
#if defined(__x86_64__)
    SYS_open,
    SYS_creat,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_pipe,
    SYS_dup2,
    SYS_getdents,
    SYS_rename,
    SYS_mkdir,
    SYS_rmdir,
    SYS_link,
    SYS_unlink,
    SYS_symlink,
    SYS_readlink,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
    SYS_mknod,
#endif
};

constexpr long kAttributeCalls[] = {
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    SYS_getxattr,
    SYS_lgetxattr,
    SYS_fgetxattr,
    SYS_listxattr,
    SYS_llistxattr,
    SYS_flistxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_fremovexattr,
    463,  // setxattrat
    464,  // getxattrat
    465,  // listxattrat
    466,  // removexattrat
};

constexpr long kWaitingCalls[] = {
    SYS_pselect6,
    SYS_ppoll,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_eventfd2,
    SYS_signalfd4,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_inotify_init1,
    SYS_inotify_add_watch,
    SYS_inotify_rm_watch,
    441,  // epoll_pwait2
#if defined(__x86_64__)
    SYS_poll,
    SYS_select,
    SYS_epoll_create,
    SYS_epoll_wait,
    SYS_eventfd,
    SYS_signalfd,
    SYS_inotify_init,
#endif
};

constexpr long kNetworkCalls[] = {
    SYS_socket,   SYS_socketpair, SYS_connect,     SYS_accept,      SYS_accept4,    SYS_sendto,
    SYS_recvfrom, SYS_sendmsg,    SYS_recvmsg,     SYS_sendmmsg,    SYS_recvmmsg,   SYS_shutdown,
    SYS_bind,     SYS_listen,     SYS_getsockname, SYS_getpeername, SYS_setsockopt, SYS_getsockopt,
};

constexpr long kMemoryCalls[] = {
    SYS_mmap,
    SYS_mprotect,
    SYS_munmap,
    SYS_brk,
    SYS_mremap,
    SYS_msync,
    SYS_mincore,
    SYS_madvise,
    SYS_mlock,
    SYS_mlock2,
    SYS_munlock,
    SYS_mlockall,
    SYS_munlockall,
    SYS_membarrier,
    SYS_pkey_mprotect,
    SYS_pkey_alloc,
    SYS_pkey_free,
    SYS_mbind,
    SYS_get_mempolicy,
    SYS_set_mempolicy,
    SYS_remap_file_pages,
    440,  // process_madvise
    447,  // memfd_secret
    450,  // set_mempolicy_home_node
    451,  // cachestat
    453,  // map_shadow_stack
    462,  // mseal
};

constexpr long kProcessCalls[] = {
    SYS_clone,
    SYS_execve,
    SYS_execveat,
    SYS_exit,
    SYS_exit_group,
    SYS_wait4,
    SYS_waitid,
    SYS_uname,
    SYS_personality,
    SYS_prctl,
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_set_tid_address,
    SYS_getpgid,
    SYS_setpgid,
    SYS_getsid,
    SYS_setsid,
    SYS_getrusage,
    SYS_times,
    SYS_sysinfo,
    SYS_getcpu,
    SYS_getrandom,
    SYS_rseq,
    SYS_setns,
    SYS_unshare,
    SYS_sethostname,
    SYS_ptrace,
    SYS_kcmp,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    434,  // pidfd_open
    438,  // pidfd_getfd
    448,  // process_mrelease
#if defined(__x86_64__)
    SYS_fork,
    SYS_vfork,
    SYS_getpgrp,
    SYS_arch_prctl,
    335,  // uretprobe: made by the kernel itself, where the host traces a library
    336,  // uprobe
#endif
};

constexpr long kSignalCalls[] = {
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigpending,
    SYS_rt_sigtimedwait,
    SYS_rt_sigsuspend,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_sigaltstack,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_restart_syscall,
    424,  // pidfd_send_signal
#if defined(__x86_64__)
    SYS_pause,
#endif
};

constexpr long kIdentityCalls[] = {
    SYS_getuid,    SYS_geteuid,   SYS_getgid,   SYS_getegid,   SYS_setuid,
    SYS_setgid,    SYS_setreuid,  SYS_setregid, SYS_setresuid, SYS_getresuid,
    SYS_setresgid, SYS_getresgid, SYS_setfsuid, SYS_setfsgid,  SYS_getgroups,
    SYS_setgroups, SYS_capget,    SYS_capset,   SYS_seccomp,
    444,  // landlock_create_ruleset
    445,  // landlock_add_rule
    446,  // landlock_restrict_self
};

constexpr long kScheduleCalls[] = {
    SYS_sched_yield,
    SYS_sched_setparam,
    SYS_sched_getparam,
    SYS_sched_setscheduler,
    SYS_sched_getscheduler,
    SYS_sched_get_priority_max,
    SYS_sched_get_priority_min,
    SYS_sched_rr_get_interval,
    SYS_sched_setaffinity,
    SYS_sched_getaffinity,
    SYS_sched_setattr,
    SYS_sched_getattr,
    SYS_getpriority,
    SYS_setpriority,
    SYS_ioprio_set,
    SYS_ioprio_get,
    SYS_prlimit64,
    SYS_getrlimit,
    SYS_setrlimit,
    SYS_futex,
    SYS_set_robust_list,
    SYS_get_robust_list,
    449,  // futex_waitv
    454,  // futex_wake
    455,  // futex_wait
    456,  // futex_requeue
};

constexpr long kTimeCalls[] = {
    SYS_nanosleep,    SYS_getitimer,     SYS_setitimer,     SYS_gettimeofday,
    SYS_timer_create, SYS_timer_settime, SYS_timer_gettime, SYS_timer_getoverrun,
    SYS_timer_delete, SYS_clock_gettime, SYS_clock_getres,  SYS_clock_nanosleep,
#if defined(__x86_64__)
    SYS_alarm,        SYS_time,
#endif
};

constexpr long kQueueCalls[] = {
    SYS_io_setup,     SYS_io_destroy,      SYS_io_getevents, SYS_io_submit,
    SYS_io_cancel,    SYS_io_pgetevents,   SYS_mq_open,      SYS_mq_unlink,
    SYS_mq_timedsend, SYS_mq_timedreceive, SYS_mq_notify,    SYS_mq_getsetattr,
};

// With the capability sysvIpc.
constexpr long kSysvCalls[] = {SYS_shmget, SYS_shmat,  SYS_shmctl, SYS_shmdt,
                               SYS_semget, SYS_semop,  SYS_semctl, SYS_semtimedop,
                               SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl};

}  // namespace dfjail
