#include "filter.hh"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <initializer_list>

#include "../monitor/spec.hh"

// Numbers that older kernel headers lack; they are the same on all architectures.
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

namespace dfjail {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

constexpr uint32_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

constexpr long kRefused[] = {
    // A jail's mounts are its maker's.
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_open_tree,
    SYS_open_tree_attr,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    // Namespaces: more kernel within reach, and capabilities that were taken away back again.
    SYS_setns,
    // Things of the whole kernel.
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_quotactl_fd,
    SYS_syslog,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_vhangup,
    // Not divided by namespaces.
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_open_by_handle_at,
    SYS_fanotify_init,
    SYS_userfaultfd,
#if defined(__x86_64__)
    SYS_iopl,
    SYS_ioperm,
    SYS_lookup_dcookie,
    SYS_nfsservctl,
#endif
};

// ENOSYS, so that libraries take the older call, whose arguments can be looked at.
constexpr long kUnknown[] = {SYS_clone3, SYS_io_uring_setup, SYS_io_uring_enter,
                             SYS_io_uring_register};

constexpr long kSysv[] = {SYS_shmget, SYS_shmat,  SYS_shmctl, SYS_shmdt,
                          SYS_semget, SYS_semop,  SYS_semctl, SYS_semtimedop,
                          SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl};

class Program {
 public:
  explicit Program(Filter* out) : out_(out) { out_->length = 0; }
  void put(uint16_t code, uint32_t k, uint8_t yes = 0, uint8_t no = 0) {
    out_->code[out_->length++] = {code, yes, no, k};
  }
  void load(uint32_t offset) { put(BPF_LD | BPF_W | BPF_ABS, offset); }
  void load_number() { load(offsetof(seccomp_data, nr)); }
  // The low half, which is all the kernel looks at for these calls' int arguments.
  void load_argument(uint32_t i) {
    load(static_cast<uint32_t>(offsetof(seccomp_data, args) + 8U * i));
  }
  void allow() { put(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }
  void refuse(int number) {
    put(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(number));
  }
  void refuse_if(uint32_t value, int number) {
    put(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    refuse(number);
  }
  void refuse_call(long nr, int number) { refuse_if(static_cast<uint32_t>(nr), number); }
  // Returns where the jump stands; `end_call` makes it skip to what comes next when it is another
  // call.
  unsigned short begin_call(long nr) {
    put(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(nr), 0, 0);
    return static_cast<unsigned short>(out_->length - 1);
  }
  void end_call(unsigned short jump) {
    allow();
    out_->code[jump].jf = static_cast<uint8_t>(out_->length - jump - 1);
  }

 private:
  Filter* out_;
};

void only_native_calls(Program* p) {
  p->load(offsetof(seccomp_data, arch));
  p->put(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
  p->refuse(ENOSYS);
  p->load_number();
#if defined(__x86_64__)
  constexpr uint32_t kX32 = 0x40000000;
  p->put(BPF_JMP | BPF_JGE | BPF_K, kX32, 0, 1);
  p->refuse(ENOSYS);
#endif
}

void no_new_namespaces(Program* p, long call, uint32_t flags) {
  const auto jump = p->begin_call(call);
  p->load_argument(0);
  p->put(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1);
  p->refuse(EPERM);
  p->end_call(jump);
}

// Foreign addresses could be bound with these.
void no_free_bind(Program* p) {
  const auto jump = p->begin_call(SYS_setsockopt);
  p->load_argument(1);
  p->put(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_IP, 0, 5);
  p->load_argument(2);
  p->refuse_if(IP_FREEBIND, EPERM);
  p->refuse_if(IP_TRANSPARENT, EPERM);
  p->load_argument(1);
  p->put(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_IPV6, 0, 5);
  p->load_argument(2);
  p->refuse_if(IPV6_FREEBIND, EPERM);
  p->refuse_if(IPV6_TRANSPARENT, EPERM);
  p->end_call(jump);
}

// Into the caller's terminal.
void no_terminal_input(Program* p) {
  const auto jump = p->begin_call(SYS_ioctl);
  constexpr uint32_t kTiocLinux = 0x541C;
  p->load_argument(1);
  p->refuse_if(TIOCSTI, EPERM);
  p->refuse_if(kTiocLinux, EPERM);
  p->end_call(jump);
}

// A lease makes whoever opens the file for writing wait for its holder, which may be the host's
// root with a file that a jail sees read-only.
void no_leases(Program* p) {
  const auto jump = p->begin_call(SYS_fcntl);
  constexpr uint32_t kSetDelegation = 1024 + 16;  // F_SETDELEG, new in Linux 6.19
  p->load_argument(1);
  p->refuse_if(F_SETLEASE, EPERM);
  p->refuse_if(kSetDelegation, EPERM);
  p->end_call(jump);
}

// DragonFly's socket_unixiproute_only. VSOCK, which reaches the hypervisor past every namespace,
// never.
void socket_families(Program* p, bool only_some) {
  for (const long call : {static_cast<long>(SYS_socket), static_cast<long>(SYS_socketpair)}) {
    const auto jump = p->begin_call(call);
    p->load_argument(0);
    p->refuse_if(AF_VSOCK, EPROTONOSUPPORT);
    if (only_some) {
      for (const uint32_t family : {AF_UNIX, AF_INET, AF_INET6}) {
        p->put(BPF_JMP | BPF_JEQ | BPF_K, family, 0, 1);
        p->allow();
      }
      p->put(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 1, 0);
      p->refuse(EPROTONOSUPPORT);
      p->load_argument(2);
      p->put(BPF_JMP | BPF_JEQ | BPF_K, NETLINK_ROUTE, 1, 0);
      p->refuse(EPROTONOSUPPORT);
    }
    p->end_call(jump);
  }
}

}  // namespace

void build_filter(uint32_t capabilities, Filter* out) {
  Program p(out);
  only_native_calls(&p);
  for (const long call : kRefused) p.refuse_call(call, EPERM);
  for (const long call : kUnknown) p.refuse_call(call, ENOSYS);
  if ((capabilities & kSysvIpc) == 0) {
    for (const long call : kSysv) p.refuse_call(call, ENOSYS);
  }
  if ((capabilities & kSetHostname) == 0) p.refuse_call(SYS_sethostname, EPERM);
  p.refuse_call(SYS_setdomainname, EPERM);
  no_new_namespaces(&p, SYS_unshare, kNamespaces | CLONE_NEWTIME);
  no_new_namespaces(&p, SYS_clone, kNamespaces);
  no_free_bind(&p);
  no_terminal_input(&p);
  no_leases(&p);
  socket_families(&p, (capabilities & kUnixIpRouteOnly) != 0);
  p.allow();
}

uint64_t kept_capabilities(uint32_t capabilities, bool rootless) {
  const auto bit = [](int capability) { return 1ULL << capability; };
  uint64_t kept = bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_DAC_READ_SEARCH) |
                  bit(CAP_FOWNER) | bit(CAP_FSETID) | bit(CAP_KILL) | bit(CAP_SETGID) |
                  bit(CAP_SETUID) | bit(CAP_SETPCAP) | bit(CAP_NET_BIND_SERVICE) |
                  bit(CAP_IPC_OWNER) | bit(CAP_SYS_CHROOT) | bit(CAP_SYS_NICE) |
                  bit(CAP_SYS_RESOURCE) | bit(CAP_AUDIT_WRITE) | bit(CAP_SETFCAP);
  if ((capabilities & kRawSockets) != 0) kept |= bit(CAP_NET_RAW);
  // sethostname(2) asks for it; the filter refuses what else it would give.
  if ((capabilities & kSetHostname) != 0) kept |= bit(CAP_SYS_ADMIN);
  // Rootless the anchor has the jail's only id, and this would be the way into it.
  if (!rootless) kept |= bit(CAP_SYS_PTRACE);
  return kept;
}

}  // namespace dfjail
