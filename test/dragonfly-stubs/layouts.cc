// The layouts of these stubs, and of the system's own headers when compiled on DragonFly 5.9, are
// the recorded ones: test/fixtures/recordings/abi-5.9.json. `statfs`, mounts, rules, interfaces:
// computed on that system.
#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#include <sys/devfs_rules.h>

#include <sys/user.h>

#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_var.h>
#include <netinet/in.h>
#include <netinet6/in6_var.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/ucred.h>
#include <sys/un.h>
#include <sys/vnioctl.h>
#include <vfs/tmpfs/tmpfs_mount.h>
extern "C" {
#include <sys/jail.h>
#include <sys/socketvar.h>

#include <netinet/in_systm.h>
#include <netinet/ip.h>

#include <netinet/in_pcb.h>

#include <netinet/tcp.h>

#include <netinet/tcp_fsm.h>

#include <netinet/tcp_timer.h>

#include <netinet/tcp_var.h>
}

// A type and a field are no expressions that parentheses could go around, and some fields are pointers.
// NOLINTBEGIN(bugprone-macro-parentheses,bugprone-sizeof-expression)
#define SIZE(type, size) static_assert(sizeof(type) == (size), #type)
#define AT(type, field, offset, size)                                 \
  static_assert(offsetof(type, field) == (offset), #type "." #field); \
  static_assert(sizeof(static_cast<type*>(nullptr)->field) == (size), #type "." #field)

SIZE(xtcpcb, 1096);
AT(xtcpcb, xt_len, 0, 8);
AT(xtcpcb, xt_inp, 8, 288);
AT(xtcpcb, xt_tp, 296, 624);
AT(tcpcb, t_state, 104, 4);
AT(inpcb, inp_inc, 40, 80);
AT(inpcb, inp_af, 160, 1);
AT(in_conninfo, inc_ie, 4, 36);
AT(in_endpoints, ie_fport, 0, 2);
AT(in_endpoints, ie_lport, 2, 2);
AT(in_endpoints, ie_dependfaddr, 4, 16);
AT(in_endpoints, ie_dependladdr, 20, 16);
SIZE(struct ::jail, 40);
static_assert(alignof(struct ::jail) == 8, "jail");
AT(struct ::jail, version, 0, 4);
AT(struct ::jail, path, 8, 8);
AT(struct ::jail, hostname, 16, 8);
AT(struct ::jail, n_ips, 24, 4);
AT(struct ::jail, ips, 32, 8);
SIZE(jail_v0, 32);
static_assert(alignof(jail_v0) == 8, "jail_v0");
AT(jail_v0, version, 0, 4);
AT(jail_v0, path, 8, 8);
AT(jail_v0, hostname, 16, 8);
AT(jail_v0, ip_number, 24, 4);
SIZE(sockaddr_storage, 128);
static_assert(alignof(sockaddr_storage) == 8, "sockaddr_storage");
AT(sockaddr_storage, ss_len, 0, 1);
AT(sockaddr_storage, ss_family, 1, 1);
SIZE(sockaddr, 16);
static_assert(alignof(sockaddr) == 1, "sockaddr");
AT(sockaddr, sa_len, 0, 1);
AT(sockaddr, sa_family, 1, 1);
AT(sockaddr, sa_data, 2, 14);
SIZE(sockaddr_in, 16);
static_assert(alignof(sockaddr_in) == 4, "sockaddr_in");
AT(sockaddr_in, sin_len, 0, 1);
AT(sockaddr_in, sin_family, 1, 1);
AT(sockaddr_in, sin_port, 2, 2);
AT(sockaddr_in, sin_addr, 4, 4);
AT(sockaddr_in, sin_zero, 8, 8);
SIZE(sockaddr_in6, 28);
static_assert(alignof(sockaddr_in6) == 4, "sockaddr_in6");
AT(sockaddr_in6, sin6_len, 0, 1);
AT(sockaddr_in6, sin6_family, 1, 1);
AT(sockaddr_in6, sin6_port, 2, 2);
AT(sockaddr_in6, sin6_flowinfo, 4, 4);
AT(sockaddr_in6, sin6_addr, 8, 16);
AT(sockaddr_in6, sin6_scope_id, 24, 4);
SIZE(sockaddr_un, 106);
static_assert(alignof(sockaddr_un) == 1, "sockaddr_un");
AT(sockaddr_un, sun_len, 0, 1);
AT(sockaddr_un, sun_family, 1, 1);
AT(sockaddr_un, sun_path, 2, 104);
SIZE(kinfo_proc, 992);
static_assert(alignof(kinfo_proc) == 8, "kinfo_proc");
AT(kinfo_proc, kp_paddr, 0, 8);
AT(kinfo_proc, kp_flags, 8, 4);
AT(kinfo_proc, kp_stat, 12, 4);
AT(kinfo_proc, kp_lock, 16, 4);
AT(kinfo_proc, kp_acflag, 20, 4);
AT(kinfo_proc, kp_traceflag, 24, 4);
AT(kinfo_proc, kp_fd, 32, 8);
AT(kinfo_proc, kp_siglist, 40, 16);
AT(kinfo_proc, kp_sigignore, 56, 16);
AT(kinfo_proc, kp_sigcatch, 72, 16);
AT(kinfo_proc, kp_sigflag, 88, 4);
AT(kinfo_proc, kp_start, 96, 16);
AT(kinfo_proc, kp_comm, 112, 17);
AT(kinfo_proc, kp_uid, 132, 4);
AT(kinfo_proc, kp_ngroups, 136, 2);
AT(kinfo_proc, kp_groups, 140, 64);
AT(kinfo_proc, kp_ruid, 204, 4);
AT(kinfo_proc, kp_svuid, 208, 4);
AT(kinfo_proc, kp_rgid, 212, 4);
AT(kinfo_proc, kp_svgid, 216, 4);
AT(kinfo_proc, kp_pid, 220, 4);
AT(kinfo_proc, kp_ppid, 224, 4);
AT(kinfo_proc, kp_pgid, 228, 4);
AT(kinfo_proc, kp_jobc, 232, 4);
AT(kinfo_proc, kp_sid, 236, 4);
AT(kinfo_proc, kp_login, 240, 40);
AT(kinfo_proc, kp_tdev, 280, 4);
AT(kinfo_proc, kp_tpgid, 284, 4);
AT(kinfo_proc, kp_tsid, 288, 4);
AT(kinfo_proc, kp_exitstat, 292, 2);
AT(kinfo_proc, kp_nthreads, 296, 4);
AT(kinfo_proc, kp_nice, 300, 4);
AT(kinfo_proc, kp_swtime, 304, 4);
AT(kinfo_proc, kp_vm_map_size, 312, 8);
AT(kinfo_proc, kp_vm_rssize, 320, 8);
AT(kinfo_proc, kp_vm_swrss, 328, 8);
AT(kinfo_proc, kp_vm_tsize, 336, 8);
AT(kinfo_proc, kp_vm_dsize, 344, 8);
AT(kinfo_proc, kp_vm_ssize, 352, 8);
AT(kinfo_proc, kp_vm_prssize, 360, 4);
AT(kinfo_proc, kp_jailid, 364, 4);
AT(kinfo_proc, kp_ru, 368, 144);
AT(kinfo_proc, kp_cru, 512, 144);
AT(kinfo_proc, kp_auxflags, 656, 4);
AT(kinfo_proc, kp_lwp, 664, 312);
AT(kinfo_proc, kp_ktaddr, 976, 8);
AT(kinfo_proc, kp_spare, 984, 8);
SIZE(kinfo_lwp, 312);
static_assert(alignof(kinfo_lwp) == 8, "kinfo_lwp");
AT(kinfo_lwp, kl_pid, 0, 4);
AT(kinfo_lwp, kl_tid, 4, 4);
AT(kinfo_lwp, kl_flags, 8, 4);
AT(kinfo_lwp, kl_stat, 12, 4);
AT(kinfo_lwp, kl_lock, 16, 4);
AT(kinfo_lwp, kl_tdflags, 20, 4);
AT(kinfo_lwp, kl_mpcount, 24, 4);
AT(kinfo_lwp, kl_prio, 28, 4);
AT(kinfo_lwp, kl_tdprio, 32, 4);
AT(kinfo_lwp, kl_rtprio, 36, 4);
AT(kinfo_lwp, kl_uticks, 40, 8);
AT(kinfo_lwp, kl_sticks, 48, 8);
AT(kinfo_lwp, kl_iticks, 56, 8);
AT(kinfo_lwp, kl_cpticks, 64, 8);
AT(kinfo_lwp, kl_pctcpu, 72, 4);
AT(kinfo_lwp, kl_slptime, 76, 4);
AT(kinfo_lwp, kl_origcpu, 80, 4);
AT(kinfo_lwp, kl_estcpu, 84, 4);
AT(kinfo_lwp, kl_cpuid, 88, 4);
AT(kinfo_lwp, kl_ru, 96, 144);
AT(kinfo_lwp, kl_siglist, 240, 16);
AT(kinfo_lwp, kl_sigmask, 256, 16);
AT(kinfo_lwp, kl_wchan, 272, 8);
AT(kinfo_lwp, kl_wmesg, 280, 9);
AT(kinfo_lwp, kl_comm, 289, 17);
SIZE(struct ::stat, 128);
static_assert(alignof(struct ::stat) == 8, "stat");
AT(struct ::stat, st_ino, 0, 8);
AT(struct ::stat, st_nlink, 8, 4);
AT(struct ::stat, st_dev, 12, 4);
AT(struct ::stat, st_mode, 16, 2);
AT(struct ::stat, st_uid, 20, 4);
AT(struct ::stat, st_gid, 24, 4);
AT(struct ::stat, st_rdev, 28, 4);
AT(struct ::stat, st_size, 80, 8);
SIZE(timeval, 16);
static_assert(alignof(timeval) == 8, "timeval");
SIZE(rusage, 144);
static_assert(alignof(rusage) == 8, "rusage");
AT(rusage, ru_utime, 0, 16);

SIZE(struct ::statfs, 320);
AT(struct ::statfs, f_fsid, 64, 8);
AT(struct ::statfs, f_fstypename, 104, 16);
AT(struct ::statfs, f_mntonname, 120, 80);
AT(struct ::statfs, f_mntfromname, 218, 80);
SIZE(tmpfs_mount_info, 48);
AT(tmpfs_mount_info, ta_root_mode, 40, 2);
SIZE(devfs_rule_ioctl, 3112);
static_assert(DEVFS_RULE_ADD == 0xCC2864DD, "DEVFS_RULE_ADD");
static_assert(DEVFS_RULE_APPLY == 0xCC2864DE, "DEVFS_RULE_APPLY");
static_assert(DEVFS_RULE_CLEAR == 0xCC2864DF, "DEVFS_RULE_CLEAR");
static_assert(DEVFS_RULE_RESET == 0xCC2864E0, "DEVFS_RULE_RESET");
SIZE(ifaliasreq, 64);
SIZE(ifreq, 32);
SIZE(in6_aliasreq, 128);
SIZE(in6_ifreq, 288);
static_assert(SIOCAIFADDR == 0x8040691A, "SIOCAIFADDR");
static_assert(SIOCDIFADDR == 0x80206919, "SIOCDIFADDR");
static_assert(SIOCAIFADDR_IN6 == 0x8080691A, "SIOCAIFADDR_IN6");
static_assert(SIOCDIFADDR_IN6 == 0x81206919, "SIOCDIFADDR_IN6");
SIZE(struct kevent, 32);
AT(struct kevent, data, 16, 8);
SIZE(ifaddrs, 64);
SIZE(vn_ioctl, 16);
SIZE(msghdr, 48);
SIZE(cmsghdr, 12);
SIZE(struct ::flock, 24);
AT(dirent, d_name, 16, 256);
static_assert(static_cast<int>(AT_FDCWD) == static_cast<int>(0xFFFAFDCD), "AT_FDCWD");
// NOLINTEND(bugprone-macro-parentheses,bugprone-sizeof-expression)
