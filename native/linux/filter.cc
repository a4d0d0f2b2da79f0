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

#include "../monitor/spec.hh"
#include "allowed_calls.hh"

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

// Families of sockets that no network namespace divides, and whose headers not every libc has.
constexpr uint32_t kAlg = 38;   // AF_ALG: the kernel's ciphers
constexpr uint32_t kQrtr = 42;  // AF_QIPCRTR: to a modem
constexpr uint32_t kUndivided[] = {AF_VSOCK, kAlg, kQrtr};
constexpr uint32_t kCommon[] = {AF_UNIX, AF_INET, AF_INET6};
constexpr uint32_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

// With EPERM, which tells that it is forbidden; most of them are called only by who wants just
// that.
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
    SYS_setdomainname,
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

// Libraries then take the older call, whose arguments can be looked at (clone3), or another way
// (io_uring): neither is among those that are allowed.

// Linux 6.18 has none from here on.
constexpr uint32_t kFirstUnseen = 470;

constexpr uint32_t argument(uint32_t i) {
  return static_cast<uint32_t>(offsetof(seccomp_data, args)) + 8U * i;
}

class Program {
 public:
  constexpr explicit Program(Filter* out) : out_(out) { out_->length = 0; }
  constexpr void put(uint16_t code, uint32_t k, uint8_t yes = 0, uint8_t no = 0) {
    if (out_->length == kMaxFilter) {
      out_->fits = false;
      return;
    }
    sock_filter& instruction = out_->code[out_->length++];
    instruction.code = code;
    instruction.jt = yes;
    instruction.jf = no;
    instruction.k = k;
  }
  constexpr void load(uint32_t offset) { put(BPF_LD | BPF_W | BPF_ABS, offset); }
  constexpr void load_number() { load(offsetof(seccomp_data, nr)); }
  // The low half, which is all the kernel looks at for these calls' int arguments.
  constexpr void load_argument(uint32_t i) { load(argument(i)); }
  constexpr void allow() { put(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }
  constexpr void refuse(int number) {
    put(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(number));
  }
  constexpr void refuse_if(uint32_t value, int number) {
    put(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    refuse(number);
  }
  // Leaves a jump to where `land` is called. Seccomp only has jumps forward.
  constexpr unsigned short jump() {
    put(BPF_JMP | BPF_JA, 0);
    return here(1);
  }
  constexpr void land(unsigned short jump) { out_->code[jump].k = here(jump + 1U); }
  // The same for the `yes` of a condition.
  constexpr unsigned short jump_if_at_least(uint32_t value) {
    put(BPF_JMP | BPF_JGE | BPF_K, value);
    return here(1);
  }
  constexpr void land_condition(unsigned short jump) {
    const unsigned length = here(jump + 1U);
    out_->fits = out_->fits && length <= 0xFF;
    out_->code[jump].jt = static_cast<uint8_t>(length);
  }

 private:
  constexpr unsigned short here(unsigned before) const {
    return static_cast<unsigned short>(out_->length - before);
  }
  Filter* out_;
};

// Of other architectures' calls the common filter says what there is to say.
constexpr void leave_foreign_calls(Program* p) {
  p->load(offsetof(seccomp_data, arch));
  p->put(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
  p->allow();
  p->load_number();
}

constexpr void only_native_calls(Program* p) {
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

constexpr void refuse_flags(Program* p, uint32_t flags) {
  p->load_argument(0);
  p->put(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1);
  p->refuse(EPERM);
  p->allow();
}

// Namespaces are more kernel within reach, and capabilities that were taken away back again. The
// monitor and its children enter them with arguments that nobody inside knows.
constexpr void only_with_pass(Program* p, const Pass& pass) {
  for (uint32_t i = 0; i < 2; i++) {
    const uint32_t halves[] = {static_cast<uint32_t>(pass.half[i]),
                               static_cast<uint32_t>(pass.half[i] >> 32)};
    for (uint32_t n = 0; n < 2; n++) {
      p->load(argument(4 + i) + n * 4U);  // both architectures are little-endian
      p->put(BPF_JMP | BPF_JEQ | BPF_K, halves[n], 1, 0);
      p->refuse(EPERM);
    }
  }
  p->allow();
}

// Of unshare(2), what makes no namespace: a later kernel may have more flags that do (Linux 7.1 has
// UNSHARE_EMPTY_MNTNS).
constexpr void no_new_namespaces(Program* p) {
  constexpr uint32_t kHarmless =
      CLONE_FILES | CLONE_FS | CLONE_SYSVSEM | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
  refuse_flags(p, ~kHarmless);
}

// Foreign addresses could be bound with these.
constexpr void no_free_bind(Program* p) {
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
  p->allow();
}

// Into the caller's terminal; and no other line discipline for it, which the kernel would load a
// module for and the caller's shell would be left with.
constexpr void keep_terminal(Program* p) {
  constexpr uint32_t kTiocLinux = 0x541C;
  p->load_argument(1);
  p->refuse_if(TIOCSTI, EPERM);
  p->refuse_if(kTiocLinux, EPERM);
  p->refuse_if(TIOCSETD, EPERM);
  p->allow();
}

// A lease makes whoever opens the file for writing wait for its holder, which may be the host's
// root with a file that a jail sees read-only.
constexpr void no_leases(Program* p) {
  constexpr uint32_t kSetDelegation = 1024 + 16;  // F_SETDELEG, new in Linux 6.19
  p->load_argument(1);
  p->refuse_if(F_SETLEASE, EPERM);
  p->refuse_if(kSetDelegation, EPERM);
  p->allow();
}

// Of the internet's families the protocols that programs use: the others are kernel that hardly
// anybody looks at, and would be loaded as modules for whoever asks. SOCK_PACKET would be a packet
// socket. Raw sockets, which take a capability, are of every protocol.
constexpr void only_common_protocols(Program* p) {
  constexpr uint32_t kTypes = 0xF;
  constexpr uint32_t kProtocols[] = {0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6};
  p->load_argument(1);
  p->put(BPF_ALU | BPF_AND | BPF_K, kTypes);
  p->put(BPF_JMP | BPF_JEQ | BPF_K, SOCK_RAW, 0, 1);
  p->allow();
  p->put(BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 2, 0);
  p->put(BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 1, 0);
  p->refuse(EPROTONOSUPPORT);
  p->load_argument(2);
  for (const uint32_t protocol : kProtocols) {
    p->put(BPF_JMP | BPF_JEQ | BPF_K, protocol, 0, 1);
    p->allow();
  }
  p->refuse(EPROTONOSUPPORT);
}

// Not what reaches past every namespace: the hypervisor, a modem, the kernel's ciphers.
constexpr void no_undivided_families(Program* p) {
  p->load_argument(0);
  for (const uint32_t family : kUndivided) p->refuse_if(family, EPROTONOSUPPORT);
  p->put(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
  p->put(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0);
  p->allow();
  only_common_protocols(p);
}

// DragonFly's socket_unixiproute_only.
constexpr void only_common_families(Program* p) {
  p->load_argument(0);
  for (const uint32_t family : kCommon) {
    p->put(BPF_JMP | BPF_JEQ | BPF_K, family, 0, 1);
    p->allow();
  }
  p->put(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 1, 0);
  p->refuse(EPROTONOSUPPORT);
  p->load_argument(2);
  p->put(BPF_JMP | BPF_JEQ | BPF_K, NETLINK_ROUTE, 1, 0);
  p->refuse(EPROTONOSUPPORT);
  p->allow();
}

// ---- which call it is

// What becomes of a system call; from kLook on, its arguments decide.
enum Verdict : uint8_t {
  kAllow,
  kRefuse,
  kUnknownCall,
  kLook,
  kLookSetns = kLook,
  kLookUnshare,
  kLookClone,
  kLookSetsockopt,
  kLookIoctl,
  kLookFcntl,
  kLookSocket,
  kVerdicts,
};

// Every number has a verdict. The kernel runs a filter for each number when it is installed to
// learn which calls need not be looked at: so numbers are found by halving, not one after the
// other.
class Verdicts {
 public:
  constexpr explicit Verdicts(Verdict otherwise) : otherwise_(otherwise) {
    for (Verdict& verdict : of_) verdict = otherwise;
  }
  constexpr void set(long call, Verdict verdict) { of_[call] = verdict; }
  // Numbers from `first` on have this verdict until the next range begins.
  struct Range {
    uint32_t first = 0;
    Verdict verdict = kAllow;
  };
  constexpr size_t ranges(Range* out) const {
    size_t count = 0;
    for (uint32_t i = 0; i <= kFirstUnseen; i++) {
      const Verdict verdict = i < kFirstUnseen ? of_[i] : otherwise_;
      if (count > 0 && out[count - 1].verdict == verdict) continue;
      out[count].first = i;
      out[count++].verdict = verdict;
    }
    return count;
  }

 private:
  Verdict otherwise_;  // of calls that are not named
  Verdict of_[kFirstUnseen] = {};
};

class Search {
 public:
  constexpr Search(Program* program, const Verdicts::Range* ranges)
      : program_(program), ranges_(ranges) {}
  constexpr void emit(size_t from, size_t to) {
    if (to - from == 1) return leaf(ranges_[from].verdict);
    const size_t middle = from + (to - from) / 2;
    const auto upper = program_->jump_if_at_least(ranges_[middle].first);
    emit(from, middle);
    program_->land_condition(upper);
    emit(middle, to);
  }
  // Where the calls with that verdict are looked at.
  constexpr void land(Verdict verdict) {
    for (size_t i = 0; i < count_; i++) {
      if (jumps_[i].verdict == verdict) program_->land(jumps_[i].at);
    }
  }

 private:
  constexpr void leaf(Verdict verdict) {
    if (verdict == kAllow) return program_->allow();
    if (verdict < kLook) return program_->refuse(verdict == kRefuse ? EPERM : ENOSYS);
    jumps_[count_].at = program_->jump();
    jumps_[count_++].verdict = verdict;
  }
  struct Jump {
    unsigned short at = 0;
    Verdict verdict = kAllow;
  };
  Program* program_;
  const Verdicts::Range* ranges_;
  Jump jumps_[kVerdicts * 2] = {};
  size_t count_ = 0;
};

template <size_t N>
constexpr void judge(Verdicts* verdicts, const long (&calls)[N], Verdict verdict) {
  for (const long call : calls) verdicts->set(call, verdict);
}

constexpr void allow_calls(Verdicts* verdicts) {
  judge(verdicts, kFileCalls, kAllow);
  judge(verdicts, kAttributeCalls, kAllow);
  judge(verdicts, kWaitingCalls, kAllow);
  judge(verdicts, kNetworkCalls, kAllow);
  judge(verdicts, kMemoryCalls, kAllow);
  judge(verdicts, kProcessCalls, kAllow);
  judge(verdicts, kSignalCalls, kAllow);
  judge(verdicts, kIdentityCalls, kAllow);
  judge(verdicts, kScheduleCalls, kAllow);
  judge(verdicts, kTimeCalls, kAllow);
  judge(verdicts, kQueueCalls, kAllow);
  judge(verdicts, kSysvCalls, kAllow);
}

constexpr void judge_calls(Verdicts* verdicts) {
  allow_calls(verdicts);
  judge(verdicts, kRefused, kRefuse);
  verdicts->set(SYS_setns, kLookSetns);
  verdicts->set(SYS_unshare, kLookUnshare);
  verdicts->set(SYS_clone, kLookClone);
  verdicts->set(SYS_setsockopt, kLookSetsockopt);
  verdicts->set(SYS_ioctl, kLookIoctl);
  verdicts->set(SYS_fcntl, kLookFcntl);
  verdicts->set(SYS_socket, kLookSocket);
  verdicts->set(SYS_socketpair, kLookSocket);
}

constexpr void judge_by_capabilities(uint32_t capabilities, Verdicts* verdicts) {
  if ((capabilities & kSysvIpc) == 0) {
    judge(verdicts, kSysvCalls, kUnknownCall);
  }
  if ((capabilities & kSetHostname) == 0) verdicts->set(SYS_sethostname, kRefuse);
  if ((capabilities & kUnixIpRouteOnly) == 0) return;
  verdicts->set(SYS_socket, kLookSocket);
  verdicts->set(SYS_socketpair, kLookSocket);
}

constexpr void look(Program* p, Verdict verdict, const Pass& pass) {
  if (verdict == kLookSetns) return only_with_pass(p, pass);
  if (verdict == kLookUnshare) return no_new_namespaces(p);
  if (verdict == kLookClone) return refuse_flags(p, kNamespaces);
  if (verdict == kLookSetsockopt) return no_free_bind(p);
  if (verdict == kLookIoctl) return keep_terminal(p);
  if (verdict == kLookFcntl) return no_leases(p);
  no_undivided_families(p);
}

constexpr void emit_common(const Pass& pass, Filter* out) {
  Program p(out);
  only_native_calls(&p);
  Verdicts verdicts(kUnknownCall);
  judge_calls(&verdicts);
  Verdicts::Range ranges[kFirstUnseen + 1] = {};
  const size_t count = verdicts.ranges(ranges);
  Search search(&p, ranges);
  search.emit(0, count);
  for (uint8_t verdict = kLook; verdict < kVerdicts; verdict++) {
    search.land(static_cast<Verdict>(verdict));
    look(&p, static_cast<Verdict>(verdict), pass);
  }
}

constexpr void emit_own(uint32_t capabilities, Filter* out) {
  Program p(out);
  Verdicts verdicts(kAllow);
  judge_by_capabilities(capabilities, &verdicts);
  Verdicts::Range ranges[kFirstUnseen + 1] = {};
  const size_t count = verdicts.ranges(ranges);
  if (count == 1) return;
  leave_foreign_calls(&p);
  Search search(&p, ranges);
  search.emit(0, count);
  search.land(kLookSocket);
  only_common_families(&p);
}

// A condition jumps over 255 instructions at most. Both programs are the same whatever the values
// are that come in when they are made.
constexpr bool common_fits() {
  Filter filter;
  emit_common(Pass{}, &filter);
  return filter.fits;
}

constexpr bool every_own_fits() {
  for (uint32_t i = 0; i < 8; i++) {
    Filter filter;
    emit_own(
        (i & 1U ? kSetHostname : 0U) | (i & 2U ? kSysvIpc : 0U) | (i & 4U ? kUnixIpRouteOnly : 0U),
        &filter);
    if (!filter.fits) return false;
  }
  return true;
}

static_assert(common_fits(), "the filter of every command is too long, or a jump in it");
static_assert(every_own_fits(), "the filter of some capabilities is too long, or a jump in it");

}  // namespace

void build_common_filter(const Pass& pass, Filter* out) { emit_common(pass, out); }

void build_filter(uint32_t capabilities, Filter* out) { emit_own(capabilities, out); }

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
