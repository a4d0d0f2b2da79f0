#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/number.hh"
#include "birthplace.hh"
#include "entrance.hh"
#include "raw.hh"

// From the monitor's fork to the command's exec.
//
// The child shares the monitor's memory (CLONE_VM), which makes it cheap; it does not suspend the
// monitor (no CLONE_VFORK), since jailed root can stop it with a signal once it is inside. Until
// exec it is protected by the monitor's memory being non-dumpable and by belonging to the host's
// user namespace, and by having the jail's mounts and network from birth. It may call nothing of
// libc that uses errno or locks: raw system calls only.
namespace dfjail {

// Steps of the child; the index goes through the error pipe.
enum Step : uint32_t {
  kStepEnter,
  kStepLimits,
  kStepStdio,
  kStepTerminal,
  kStepCwd,
  kStepGroups,
  kStepGid,
  kStepUid,
  kStepCapabilities,
  kStepFilter,
  kStepReduce,
  kStepMemory,
  kStepExec,
};

struct Launch {
  // Read by the child.
  const Jail* jail;
  const CommandSpec* command;
  const Identity* identity;
  const Entrance* entrance;
  int descriptors[kMaxStdio];
  int report;
  bool shared;         // memory, with the monitor
  bool may_be_dumped;  // by the host, once it has changed its user: see close_memory()
  // Written by the child.
  volatile pid_t jail_pid;
  volatile uint32_t step;
  char path[1024];
};

namespace {

using raw::call;
using raw::pointer;

constexpr size_t kStackSize = size_t{64} * 1024;
constexpr const char* kStepNames[] = {
    "enter", "limits",       "stdio",  "terminal",     "cwd",          "groups", "gid",
    "uid",   "capabilities", "filter", "capabilities", "capabilities", "exec"};
constexpr const char* kStepCalls[] = {"setns",     "prlimit",   "dup3",      "ioctl", "chdir",
                                      "setgroups", "setresgid", "setresuid", "prctl", "seccomp",
                                      "capset",    "prctl",     "execve"};

struct Failure {
  uint32_t step;
  int32_t number;
};

// ---- in the child

// On a stack that AddressSanitizer does not know: what it does where a function does not come back
// would end the child without a word.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DFJAIL_OWN_STACK 1
#pragma clang attribute push(__attribute__((no_sanitize("address"))), apply_to = function)
#endif
#endif

[[noreturn]] void give_up(const Launch* launch, Step step, long result) {
  const Failure failure = {step, static_cast<int32_t>(-result)};
  call(SYS_write, launch->report, pointer(&failure), sizeof failure);
  for (;;) call(SYS_exit_group, 127);
}

long must(const Launch* launch, Step step, long result) {
  if (result < 0) give_up(launch, step, result);
  return result;
}

void set_limits(const Launch* launch, const Limit* limits, size_t count) {
  constexpr int kResources[] = {RLIMIT_NOFILE,  RLIMIT_NPROC, RLIMIT_CORE,  RLIMIT_CPU,
                                RLIMIT_AS,      RLIMIT_DATA,  RLIMIT_STACK, RLIMIT_FSIZE,
                                RLIMIT_MEMLOCK, RLIMIT_RSS};
  for (size_t i = 0; i < count; i++) {
    if (limits[i].resource >= sizeof kResources / sizeof kResources[0])
      give_up(launch, kStepLimits, -EINVAL);
    const uint64_t value[2] = {limits[i].soft, limits[i].hard};
    must(launch, kStepLimits,
         call(SYS_prlimit64, 0, kResources[limits[i].resource], pointer(value), 0));
  }
}

// Out of the way of the slots and of the two that are kept behind them.
int out_of_the_way(const Launch* launch, int fd) {
  const long above = static_cast<long>(launch->command->stdio_count) + 2;
  return static_cast<int>(must(launch, kStepStdio, call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, above)));
}

void fill_slots(Launch* launch) {
  const CommandSpec& command = *launch->command;
  const int null = out_of_the_way(launch, 0);
  for (size_t i = 0; i < command.stdio_count; i++) {
    if (command.stdio[i] == Slot::kPassed)
      launch->descriptors[i] = out_of_the_way(launch, launch->descriptors[i]);
  }
  for (size_t i = 0; i < command.stdio_count; i++) {
    const long slot = static_cast<long>(i);
    if (command.stdio[i] == Slot::kClosed) {
      call(SYS_close, slot);
      continue;
    }
    const int from = command.stdio[i] == Slot::kNull ? null : launch->descriptors[i];
    must(launch, kStepStdio, call(SYS_dup3, from, slot, 0));
  }
}

// Leaves the slots, then the error pipe, then the anchor, and nothing else: what the monitor holds
// must not be open in a process that jailed root may stop at any point. Returns the anchor's new
// number.
long place_descriptors(Launch* launch) {
  const long slots = static_cast<long>(launch->command->stdio_count);
  launch->report = out_of_the_way(launch, launch->report);
  const int anchor = out_of_the_way(launch, launch->jail->anchor.get());
  fill_slots(launch);
  must(launch, kStepStdio, call(SYS_dup3, launch->report, slots, O_CLOEXEC));
  must(launch, kStepStdio, call(SYS_dup3, anchor, slots + 1, O_CLOEXEC));
  launch->report = static_cast<int>(slots);
  must(launch, kStepStdio, call(SYS_close_range, slots + 2, 0xFFFFFFFFL, 0));
  return slots + 1;
}

void join_cgroups(const Launch* launch) {
  for (const UniqueFd& procs : launch->jail->cgroups) {
    if (procs) must(launch, kStepLimits, call(SYS_write, procs.get(), pointer("0"), 1));
  }
}

// As the program that embeds us is; the monitor itself gives way to everybody.
void take_turns(const Launch* launch) {
  const sched_param none = {};
  if (launch->entrance->gives_way) call(SYS_sched_setscheduler, 0, SCHED_OTHER, pointer(&none));
}

void set_terminal(const Launch* launch) {
  call(SYS_setsid);
  if ((launch->command->flags & CommandSpec::kTerminal) == 0) return;
  must(launch, kStepTerminal, call(SYS_ioctl, 0, TIOCSCTTY, 0));
}

void drop_capabilities(const Launch* launch) {
  for (int i = 0; i <= 63; i++) {
    if ((launch->entrance->kept >> i & 1U) != 0) continue;
    const long result = call(SYS_prctl, PR_CAPBSET_DROP, i, 0, 0, 0);
    if (result == -EINVAL) return;  // past the last one that this kernel has
    must(launch, kStepCapabilities, result);
  }
}

// The bounding set says what is had after exec; until then it would be everything, and the working
// directory and the program are looked up by the jail's own names. Only its root has any left.
void reduce_capabilities(const Launch* launch) {
  if (launch->identity->uid != 0) return;
  const __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  for (uint32_t i = 0; i < 2; i++) {
    sets[i].permitted = static_cast<uint32_t>(launch->entrance->kept >> (32 * i));
    sets[i].effective = sets[i].permitted;
  }
  must(launch, kStepReduce, call(SYS_capset, pointer(&header), pointer(sets)));
}

// Where the host dumps whoever changes its user, signals wait until that is forbidden again: what
// would be dumped is the monitor's memory, or a copy of it. A shared one would be opened anew by
// the next child.
void hold_signals(const Launch* launch) {
  const uint64_t all = ~uint64_t{0};
  if (launch->may_be_dumped) call(SYS_rt_sigprocmask, SIG_SETMASK, pointer(&all), 0, sizeof all);
}

void close_memory(const Launch* launch) {
  if (launch->may_be_dumped)
    must(launch, kStepMemory, call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0));
}

void set_identity(const Launch* launch) {
  const Identity& id = *launch->identity;
  const bool rootless = launch->jail->entry.id_count == 1;
  // Without setgroups (rootless: the kernel forbids it) the caller's own groups stay.
  if (!rootless) {
    must(launch, kStepGroups,
         call(SYS_setgroups, static_cast<long>(id.group_count), pointer(id.groups)));
  }
  must(launch, kStepGid, call(SYS_setresgid, id.gid, id.gid, id.gid));
  // The host's root becomes the jail's first: only leaving that one clears the capabilities.
  must(launch, kStepUid, call(SYS_setresuid, 0, 0, 0));
  if (id.uid != 0) must(launch, kStepUid, call(SYS_setresuid, id.uid, id.uid, id.uid));
}

// Set-user-id bits and file capabilities then give nothing.
void forbid_privileges(const Launch* launch) {
  const bool asked = (launch->command->flags & CommandSpec::kNoNewPrivileges) != 0;
  if (!asked && !launch->jail->entry.no_new_privileges) return;
  must(launch, kStepCapabilities, call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

void install_filter(const Launch* launch) {
  if (launch->entrance->filter.length == 0) return;
  const sock_fprog program = {launch->entrance->filter.length,
                              const_cast<sock_filter*>(launch->entrance->filter.code)};
  must(launch, kStepFilter, call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, pointer(&program)));
}

const char* search_path(const Launch* launch) {
  const CommandSpec& command = *launch->command;
  if ((command.flags & CommandSpec::kSearchPath) == 0) return nullptr;
  for (const char* c = command.file; *c != '\0'; c++) {
    if (*c == '/') return nullptr;
  }
  for (size_t i = 0; i < command.env_count; i++) {
    const char* e = command.env[i];
    if (e[0] == 'P' && e[1] == 'A' && e[2] == 'T' && e[3] == 'H' && e[4] == '=') return e + 5;
  }
  return "/usr/bin:/bin";
}

// dir/file into launch->path; false when it does not fit.
bool join_path(Launch* launch, const char* dir, size_t length) {
  size_t n = 0;
  const char* file = launch->command->file;
  size_t rest = 0;
  while (file[rest] != '\0') rest++;
  if (length + rest + 2 > sizeof launch->path) return false;
  while (n < length) {
    launch->path[n] = dir[n];
    n++;
  }
  if (n > 0) launch->path[n++] = '/';
  for (size_t i = 0; i <= rest; i++) launch->path[n + i] = file[i];
  return true;
}

long try_exec(const Launch* launch, const char* path) {
  return call(SYS_execve, pointer(path), pointer(launch->command->argv),
              pointer(launch->command->env));
}

// As execvp(3): the first that can be run; EACCES is remembered over ENOENT.
long search_and_exec(Launch* launch, const char* dirs) {
  long result = -ENOENT;
  for (const char* dir = dirs;;) {
    const char* end = dir;
    while (*end != '\0' && *end != ':') end++;
    if (join_path(launch, dir, static_cast<size_t>(end - dir))) {
      const long failed = try_exec(launch, launch->path);
      if (failed != -ENOENT && failed != -ENOTDIR && failed != -EACCES) return failed;
      if (failed == -EACCES) result = failed;
    }
    if (*end == '\0') return result;
    dir = end + 1;
  }
}

void unblock_signals() {
  const uint64_t none = 0;
  call(SYS_rt_sigprocmask, SIG_SETMASK, pointer(&none), 0, sizeof none);
}

int run_child(void* argument) {
  Launch* launch = static_cast<Launch*>(argument);
  const CommandSpec& command = *launch->command;
  hold_signals(launch);
  if (launch->shared) launch->jail_pid = static_cast<pid_t>(call(SYS_getpid));
  join_cgroups(launch);
  const long anchor = place_descriptors(launch);
  set_limits(launch, launch->jail->limits, launch->jail->limit_count);
  set_limits(launch, command.limits, command.limit_count);
  const Pass& pass = launch->entrance->pass;
  must(launch, kStepEnter,
       call(SYS_setns, anchor, kJailNamespaces, 0, 0, static_cast<long>(pass.half[0]),
            static_cast<long>(pass.half[1])));
  call(SYS_close, anchor);
  set_terminal(launch);
  install_filter(launch);
  drop_capabilities(launch);
  set_identity(launch);
  reduce_capabilities(launch);
  close_memory(launch);
  forbid_privileges(launch);
  take_turns(launch);
  call(SYS_umask, 022);
  must(launch, kStepCwd, call(SYS_chdir, pointer(command.cwd)));
  unblock_signals();
  launch->step = kStepExec;
  const char* dirs = search_path(launch);
  give_up(launch, kStepExec,
          dirs == nullptr ? try_exec(launch, command.file) : search_and_exec(launch, dirs));
}

#if defined(DFJAIL_OWN_STACK)
#pragma clang attribute pop
#endif

// ---- in the monitor

// Stacks are kept for the next spawn: there are as many as were ever in flight at once.
struct Stack {
  Stack* next;
};
Stack* free_stacks = nullptr;

unsigned char* take_stack() {
  if (free_stacks != nullptr) {
    Stack* stack = free_stacks;
    free_stacks = stack->next;
    return reinterpret_cast<unsigned char*>(stack);
  }
  void* memory = mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<unsigned char*>(memory);
}

// The top of the stack is where the child's data was: the link goes to the bottom, which is hardly
// ever touched.
void keep_stack(unsigned char* memory) {
  Stack* stack = reinterpret_cast<Stack*>(memory);
  stack->next = free_stacks;
  free_stacks = stack;
}

struct OwnedLaunch {
  Launch launch;
  unsigned char* stack;
};

void release(OwnedLaunch* owned) {
  if (owned == nullptr) return;
  if (owned->stack != nullptr) keep_stack(owned->stack);
  free(owned);
}

OwnedLaunch* new_launch(const Jail& jail, const CommandSpec& command, const Identity& identity,
                        const int* descriptors) {
  OwnedLaunch* owned = static_cast<OwnedLaunch*>(calloc(1, sizeof(OwnedLaunch)));
  if (owned == nullptr) return nullptr;
  owned->stack = take_stack();
  if (owned->stack == nullptr) {
    free(owned);
    return nullptr;
  }
  owned->launch.jail = &jail;
  owned->launch.command = &command;
  owned->launch.identity = &identity;
  memcpy(owned->launch.descriptors, descriptors, sizeof owned->launch.descriptors);
  return owned;
}

// With a memory limit the kernel's out-of-memory killer ends everything that shares memory with its
// victim: then the child gets a copy.
bool may_share_memory(const Jail& jail) { return !jail.cgroups[0] && !jail.cgroups[1]; }

pid_t clone_child(OwnedLaunch* owned, int* pidfd, Error* error) {
  const Birthplace birthplace(*owned->launch.jail, error);
  if (!birthplace) return -1;
  const int flags = (owned->launch.shared ? CLONE_VM : 0) | CLONE_PIDFD | SIGCHLD;
  const pid_t pid = clone(run_child, owned->stack + kStackSize, flags, &owned->launch, pidfd);
  // What fork says once pid 1 of a pid namespace is gone, or going, which nothing else tells yet.
  if (pid < 0) fail(error, "enter", "clone", "", errno == ENOMEM ? ESRCH : errno);
  return pid;
}

// Rootless a jail has one id, its root.
bool has_ids(const Jail& jail, const Identity& identity, Error* error) {
  if (jail.entry.id_count != 1 || (identity.uid == 0 && identity.gid == 0)) return true;
  return fail_with_code(error, "user", "ERR_JAIL_UNSUPPORTED", identity.name,
                        "A jail made by an ordinary user has one user id only, its root: leave "
                        "user and group out, or "
                        "make the jail as root.");
}

// What stands behind "\nKEY:" in the status of a process. Null: it is gone.
const char* find_in_status(pid_t pid, const char* key, char (&text)[2048]) {
  char path[48];
  snprintf(path, sizeof path, "/proc/%d/status", static_cast<int>(pid));
  const UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
  const ssize_t n = fd ? read(fd.get(), text, sizeof text - 1) : 0;
  if (n <= 0) return nullptr;
  text[n] = '\0';
  const char* line = strstr(text, key);
  return line == nullptr ? nullptr : line + strlen(key);
}

// "NSpid:\t<host>\t<inside>" of a child whose memory is not ours.
pid_t read_jail_pid(pid_t pid) {
  char text[2048];
  pid_t host = 0;
  pid_t inside = 0;
  const char* line = find_in_status(pid, "\nNSpid:", text);
  if (line == nullptr) return 0;
  return take_number(&line, &host) && take_number(&line, &inside) ? inside : 0;
}

}  // namespace

bool start_command(Jail* jail, const CommandSpec& command, const Identity& identity,
                   const int* descriptors, Started* started, Error* error) {
  Dumps dumps;
  if (!has_ids(*jail, identity, error) || !check_dumps(&dumps, error)) return false;
  int report[2];
  if (pipe2(report, O_CLOEXEC) < 0) return fail(error, "enter", "pipe2");
  started->launched.reset(report[0]);
  const UniqueFd report_end(report[1]);
  OwnedLaunch* owned = new_launch(*jail, command, identity, descriptors);
  if (owned == nullptr) return fail(error, "enter", "malloc", "", ENOMEM);
  owned->launch.report = report[1];
  owned->launch.entrance = &entrance();
  owned->launch.may_be_dumped = dumps != Dumps::kNone;
  owned->launch.shared = !owned->launch.may_be_dumped && may_share_memory(*jail);
  int pidfd = -1;
  started->pid = clone_child(owned, &pidfd, error);
  if (started->pid < 0) {
    release(owned);
    return false;
  }
  started->exited.reset(pidfd);
  started->launch = &owned->launch;
  return true;
}

bool finish_launch(Started* started, const char* file, pid_t* jail_pid, Error* error) {
  OwnedLaunch* owned = reinterpret_cast<OwnedLaunch*>(started->launch);
  Failure failure;
  ssize_t n;
  do {
    n = read(started->launched.get(), &failure, sizeof failure);
  } while (n < 0 && errno == EINTR);
  const int number = errno;
  started->launched.reset();
  const bool shared = owned->launch.shared;
  const bool reached_exec = !shared || owned->launch.step == kStepExec;
  *jail_pid = shared ? owned->launch.jail_pid : read_jail_pid(started->pid);
  if (n < 0) return fail(error, "enter", "read", file, number);
  if (n != static_cast<ssize_t>(sizeof failure)) {
    if (reached_exec) return true;
    return fail(error, "enter", "waitid", file, EINTR);  // killed on the way
  }
  const char* about = failure.step == kStepExec ? file : "";
  if (failure.step == kStepCwd) about = owned->launch.command->cwd;
  return fail(error, kStepNames[failure.step], kStepCalls[failure.step], about, failure.number);
}

void free_launch(Started* started) {
  release(reinterpret_cast<OwnedLaunch*>(started->launch));
  started->launch = nullptr;
}

bool has_login_classes() { return false; }

bool signal_command(const Started& started, int signal) {
  return syscall(SYS_pidfd_send_signal, started.exited.get(), signal, nullptr, 0) == 0;
}

// It tells nobody but who waits for the process, and that is us whoever traces it.
bool exit_status(const Started&, int*) { return false; }

pid_t tracer_of(pid_t pid) {
  char text[2048];
  pid_t tracer = 0;
  const char* line = find_in_status(pid, "\nTracerPid:", text);
  return line != nullptr && take_number(&line, &tracer) ? tracer : 0;
}

// The last close of a terminal waits for nobody.
UniqueFd hold_terminal(int) { return UniqueFd(); }

}  // namespace dfjail
