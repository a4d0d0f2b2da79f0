#include "abi.hh"

#include <stddef.h>
#include <sys/types.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <sys/sysctl.h>

#include "jail_calls.hh"
#include "mount.hh"
#include "processes.hh"
#include "system_jail.hh"

// clang-format off
// A type and a field are no expressions that parentheses could go around, and some fields are pointers.
// NOLINTBEGIN(bugprone-macro-parentheses,bugprone-sizeof-expression)
namespace dfjail {
namespace {

#define WHOLE(type, name) {name, "", 0, static_cast<uint32_t>(sizeof(type))}
#define FIELD(type, name, field) \
  {name, #field, static_cast<uint32_t>(offsetof(type, field)), static_cast<uint32_t>(sizeof(static_cast<type*>(nullptr)->field))}

constexpr AbiField kFields[] = {
    WHOLE(struct ::jail, "jail"),
    FIELD(struct ::jail, "jail", version),
    FIELD(struct ::jail, "jail", path),
    FIELD(struct ::jail, "jail", hostname),
    FIELD(struct ::jail, "jail", n_ips),
    FIELD(struct ::jail, "jail", ips),
    WHOLE(jail_v0, "jail_v0"),
    FIELD(jail_v0, "jail_v0", version),
    FIELD(jail_v0, "jail_v0", path),
    FIELD(jail_v0, "jail_v0", hostname),
    FIELD(jail_v0, "jail_v0", ip_number),
    WHOLE(sockaddr_storage, "sockaddr_storage"),
    FIELD(sockaddr_storage, "sockaddr_storage", ss_len),
    FIELD(sockaddr_storage, "sockaddr_storage", ss_family),
    WHOLE(sockaddr, "sockaddr"),
    FIELD(sockaddr, "sockaddr", sa_len),
    FIELD(sockaddr, "sockaddr", sa_family),
    FIELD(sockaddr, "sockaddr", sa_data),
    WHOLE(sockaddr_in, "sockaddr_in"),
    FIELD(sockaddr_in, "sockaddr_in", sin_len),
    FIELD(sockaddr_in, "sockaddr_in", sin_family),
    FIELD(sockaddr_in, "sockaddr_in", sin_port),
    FIELD(sockaddr_in, "sockaddr_in", sin_addr),
    FIELD(sockaddr_in, "sockaddr_in", sin_zero),
    WHOLE(sockaddr_in6, "sockaddr_in6"),
    FIELD(sockaddr_in6, "sockaddr_in6", sin6_len),
    FIELD(sockaddr_in6, "sockaddr_in6", sin6_family),
    FIELD(sockaddr_in6, "sockaddr_in6", sin6_port),
    FIELD(sockaddr_in6, "sockaddr_in6", sin6_flowinfo),
    FIELD(sockaddr_in6, "sockaddr_in6", sin6_addr),
    FIELD(sockaddr_in6, "sockaddr_in6", sin6_scope_id),
    WHOLE(sockaddr_un, "sockaddr_un"),
    FIELD(sockaddr_un, "sockaddr_un", sun_len),
    FIELD(sockaddr_un, "sockaddr_un", sun_family),
    FIELD(sockaddr_un, "sockaddr_un", sun_path),
    WHOLE(kinfo_proc, "kinfo_proc"),
    FIELD(kinfo_proc, "kinfo_proc", kp_paddr),
    FIELD(kinfo_proc, "kinfo_proc", kp_flags),
    FIELD(kinfo_proc, "kinfo_proc", kp_stat),
    FIELD(kinfo_proc, "kinfo_proc", kp_lock),
    FIELD(kinfo_proc, "kinfo_proc", kp_acflag),
    FIELD(kinfo_proc, "kinfo_proc", kp_traceflag),
    FIELD(kinfo_proc, "kinfo_proc", kp_fd),
    FIELD(kinfo_proc, "kinfo_proc", kp_siglist),
    FIELD(kinfo_proc, "kinfo_proc", kp_sigignore),
    FIELD(kinfo_proc, "kinfo_proc", kp_sigcatch),
    FIELD(kinfo_proc, "kinfo_proc", kp_sigflag),
    FIELD(kinfo_proc, "kinfo_proc", kp_start),
    FIELD(kinfo_proc, "kinfo_proc", kp_comm),
    FIELD(kinfo_proc, "kinfo_proc", kp_uid),
    FIELD(kinfo_proc, "kinfo_proc", kp_ngroups),
    FIELD(kinfo_proc, "kinfo_proc", kp_groups),
    FIELD(kinfo_proc, "kinfo_proc", kp_ruid),
    FIELD(kinfo_proc, "kinfo_proc", kp_svuid),
    FIELD(kinfo_proc, "kinfo_proc", kp_rgid),
    FIELD(kinfo_proc, "kinfo_proc", kp_svgid),
    FIELD(kinfo_proc, "kinfo_proc", kp_pid),
    FIELD(kinfo_proc, "kinfo_proc", kp_ppid),
    FIELD(kinfo_proc, "kinfo_proc", kp_pgid),
    FIELD(kinfo_proc, "kinfo_proc", kp_jobc),
    FIELD(kinfo_proc, "kinfo_proc", kp_sid),
    FIELD(kinfo_proc, "kinfo_proc", kp_login),
    FIELD(kinfo_proc, "kinfo_proc", kp_tdev),
    FIELD(kinfo_proc, "kinfo_proc", kp_tpgid),
    FIELD(kinfo_proc, "kinfo_proc", kp_tsid),
    FIELD(kinfo_proc, "kinfo_proc", kp_exitstat),
    FIELD(kinfo_proc, "kinfo_proc", kp_nthreads),
    FIELD(kinfo_proc, "kinfo_proc", kp_nice),
    FIELD(kinfo_proc, "kinfo_proc", kp_swtime),
    FIELD(kinfo_proc, "kinfo_proc", kp_vm_map_size),
    FIELD(kinfo_proc, "kinfo_proc", kp_vm_rssize),
    FIELD(kinfo_proc, "kinfo_proc", kp_vm_swrss),
    FIELD(kinfo_proc, "kinfo_proc", kp_vm_tsize),
    FIELD(kinfo_proc, "kinfo_proc", kp_vm_dsize),
    FIELD(kinfo_proc, "kinfo_proc", kp_vm_ssize),
    FIELD(kinfo_proc, "kinfo_proc", kp_vm_prssize),
    FIELD(kinfo_proc, "kinfo_proc", kp_jailid),
    FIELD(kinfo_proc, "kinfo_proc", kp_ru),
    FIELD(kinfo_proc, "kinfo_proc", kp_cru),
    FIELD(kinfo_proc, "kinfo_proc", kp_auxflags),
    FIELD(kinfo_proc, "kinfo_proc", kp_lwp),
    FIELD(kinfo_proc, "kinfo_proc", kp_ktaddr),
    WHOLE(kinfo_lwp, "kinfo_lwp"),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_pid),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_tid),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_flags),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_stat),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_lock),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_tdflags),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_mpcount),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_prio),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_tdprio),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_rtprio),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_uticks),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_sticks),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_iticks),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_cpticks),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_pctcpu),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_slptime),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_origcpu),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_estcpu),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_cpuid),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_ru),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_siglist),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_sigmask),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_wchan),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_wmesg),
    FIELD(kinfo_lwp, "kinfo_lwp", kl_comm),
    WHOLE(struct ::stat, "stat"),
    WHOLE(timeval, "timeval"),
    FIELD(timeval, "timeval", tv_sec),
    FIELD(timeval, "timeval", tv_usec),
    WHOLE(rusage, "rusage"),
    FIELD(rusage, "rusage", ru_utime),
    FIELD(rusage, "rusage", ru_stime),
    FIELD(rusage, "rusage", ru_maxrss),
    FIELD(rusage, "rusage", ru_ixrss),
    FIELD(rusage, "rusage", ru_idrss),
    FIELD(rusage, "rusage", ru_isrss),
    FIELD(rusage, "rusage", ru_minflt),
    FIELD(rusage, "rusage", ru_majflt),
    FIELD(rusage, "rusage", ru_nswap),
    FIELD(rusage, "rusage", ru_inblock),
    FIELD(rusage, "rusage", ru_oublock),
    FIELD(rusage, "rusage", ru_msgsnd),
    FIELD(rusage, "rusage", ru_msgrcv),
    FIELD(rusage, "rusage", ru_nsignals),
    FIELD(rusage, "rusage", ru_nvcsw),
    FIELD(rusage, "rusage", ru_nivcsw),
    WHOLE(struct ::statfs, "statfs"),
    FIELD(struct ::statfs, "statfs", f_bsize),
    FIELD(struct ::statfs, "statfs", f_iosize),
    FIELD(struct ::statfs, "statfs", f_blocks),
    FIELD(struct ::statfs, "statfs", f_bfree),
    FIELD(struct ::statfs, "statfs", f_bavail),
    FIELD(struct ::statfs, "statfs", f_files),
    FIELD(struct ::statfs, "statfs", f_ffree),
    FIELD(struct ::statfs, "statfs", f_fsid),
    FIELD(struct ::statfs, "statfs", f_owner),
    FIELD(struct ::statfs, "statfs", f_type),
    FIELD(struct ::statfs, "statfs", f_flags),
    FIELD(struct ::statfs, "statfs", f_fstypename),
    FIELD(struct ::statfs, "statfs", f_mntonname),
    FIELD(struct ::statfs, "statfs", f_mntfromname),
};

#define CONSTANT(name) {#name, static_cast<int64_t>(name)}

constexpr AbiConstant kConstants[] = {
    CONSTANT(AF_UNSPEC),
    CONSTANT(AF_UNIX),
    CONSTANT(AF_INET),
    CONSTANT(AF_INET6),
    CONSTANT(AF_LINK),
    CONSTANT(PF_ROUTE),
    CONSTANT(MAXHOSTNAMELEN),
    CONSTANT(MAXPATHLEN),
    CONSTANT(MAXCOMLEN),
    CONSTANT(NGROUPS),
    CONSTANT(MAXLOGNAME),
    CONSTANT(CTL_KERN),
    CONSTANT(KERN_PROC),
    CONSTANT(KERN_PROC_ALL),
    CONSTANT(KERN_PROC_PID),
    CONSTANT(KERN_PROC_PGRP),
    CONSTANT(KERN_PROC_SESSION),
    CONSTANT(KERN_PROC_TTY),
    CONSTANT(KERN_PROC_UID),
    CONSTANT(KERN_PROC_RUID),
    CONSTANT(KERN_PROC_ARGS),
    CONSTANT(KERN_PROC_CWD),
    CONSTANT(KERN_PROC_PATHNAME),
    CONSTANT(KERN_PROC_FLAG_LWP),
    CONSTANT(KERN_HOSTNAME),
    CONSTANT(CTL_MAXNAME),
    CONSTANT(SIDL),
    CONSTANT(SACTIVE),
    CONSTANT(SSTOP),
    CONSTANT(SZOMB),
    CONSTANT(SCORE),
    CONSTANT(LSRUN),
    CONSTANT(LSSTOP),
    CONSTANT(LSSLEEP),
    CONSTANT(P_JAILED),
    CONSTANT(P_JAILID),
    CONSTANT(PRISON_CAP_SYS_SET_HOSTNAME),
    CONSTANT(PRISON_CAP_SYS_SYSVIPC),
    CONSTANT(PRISON_CAP_NET_UNIXIPROUTE),
    CONSTANT(PRISON_CAP_NET_RAW_SOCKETS),
    CONSTANT(PRISON_CAP_NET_LISTEN_OVERRIDE),
    CONSTANT(PRISON_CAP_VFS_CHFLAGS),
    CONSTANT(PRISON_CAP_VFS_MOUNT_NULLFS),
    CONSTANT(PRISON_CAP_VFS_MOUNT_DEVFS),
    CONSTANT(PRISON_CAP_VFS_MOUNT_TMPFS),
    CONSTANT(__DragonFly_version),
    CONSTANT(CTLFLAG_RD),
    CONSTANT(CTLFLAG_WR),
    CONSTANT(CTLFLAG_ANYBODY),
    CONSTANT(CTLFLAG_PRISON),
    CONSTANT(CTLTYPE_NODE),
    CONSTANT(CTLTYPE_INT),
    CONSTANT(CTLTYPE_STRING),
    CONSTANT(MNT_FORCE),
    CONSTANT(MNT_RDONLY),
    CONSTANT(MNT_UPDATE),
};

// NOLINTEND(bugprone-macro-parentheses,bugprone-sizeof-expression)
}  // namespace

const AbiField* abi_fields(size_t* count) {
  *count = sizeof kFields / sizeof kFields[0];
  return kFields;
}

const AbiConstant* abi_constants(size_t* count) {
  *count = sizeof kConstants / sizeof kConstants[0];
  return kConstants;
}

}  // namespace dfjail
