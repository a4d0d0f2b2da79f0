#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <sys/event.h>

#include "../monitor/backend.hh"
#include "jail_calls.hh"
#include "login_context.hh"
#include "rlimits.hh"

// From the monitor's fork to the command's exec.
//
// The child gets a copy of the monitor's memory and, unlike on Linux, nothing keeps jailed root
// from reading it once the child is inside: so it has closed everything but stdio and the error
// pipe, and wiped what belongs to others, before.
namespace dfjail {

struct Launch {
  const CommandSpec* command;
};

namespace {

// Steps of the child; the index goes through the error pipe.
enum Step : uint32_t {
  kStepStdio,
  kStepTerminal,
  kStepEnter,
  kStepLimits,
  kStepGroups,
  kStepGid,
  kStepUid,
  kStepCwd,
  kStepExec,
};

struct StepName {
  const char* step;
  const char* call;
};
constexpr StepName kSteps[] = {
    {"stdio", "dup2"},       {"terminal", "ioctl"},   {"enter", "jail_attach"},
    {"limits", "setrlimit"}, {"groups", "setgroups"}, {"gid", "setresgid"},
    {"uid", "setresuid"},    {"cwd", "chdir"},        {"exec", "execve"},
};

struct Failure {
  uint32_t step;
  int32_t number;
};

struct Child {
  const Jail* jail;
  const CommandSpec* command;
  const Identity* identity;
  int descriptors[kMaxStdio];
  int report;
  pid_t monitor;
};

// ---- in the child

[[noreturn]] void give_up(const Child& child, Step step, int number = errno) {
  const Failure failure = {step, number};
  while (write(child.report, &failure, sizeof failure) < 0 && errno == EINTR) {
  }
  _exit(127);
}

// The monitor ignores some signals, and exec would keep that.
void reset_signals() {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Out of the way of the slots and of the error pipe behind them.
int out_of_the_way(const Child& child, int fd) {
  const int above = static_cast<int>(child.command->stdio_count) + 1;
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, above);
  if (moved < 0) give_up(child, kStepStdio);
  return moved;
}

void fill_slots(Child* child) {
  const CommandSpec& command = *child->command;
  const int null = out_of_the_way(*child, 0);
  for (size_t i = 0; i < command.stdio_count; i++) {
    if (command.stdio[i] != Slot::kPassed) continue;
    child->descriptors[i] = out_of_the_way(*child, child->descriptors[i]);
  }
  for (size_t i = 0; i < command.stdio_count; i++) {
    const int slot = static_cast<int>(i);
    if (command.stdio[i] == Slot::kClosed) {
      close(slot);
      continue;
    }
    if (dup2(command.stdio[i] == Slot::kNull ? null : child->descriptors[i], slot) < 0) {
      give_up(*child, kStepStdio);
    }
  }
}

// Leaves the slots and the error pipe behind them, nothing else: a directory would lead out of the
// jail.
void place_descriptors(Child* child) {
  const int slots = static_cast<int>(child->command->stdio_count);
  child->report = out_of_the_way(*child, child->report);
  fill_slots(child);
  if (dup2(child->report, slots) < 0) give_up(*child, kStepStdio);
  child->report = slots;
  if (fcntl(slots, F_SETFD, FD_CLOEXEC) < 0) give_up(*child, kStepStdio);
  closefrom(slots + 1);
}

void set_terminal(const Child& child) {
  setsid();
  if ((child.command->flags & CommandSpec::kTerminal) == 0) return;
  if (ioctl(0, TIOCSCTTY, 0) < 0) give_up(child, kStepTerminal);
}

// The working directory is not changed by the call and would lead out.
void enter(const Child& child) {
  if (jail_enter(static_cast<int>(child.jail->entry.jid)) < 0) give_up(child, kStepEnter);
  if (chdir("/") < 0) give_up(child, kStepEnter);
}

void set_limits(const Child& child, const Limit* limits, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (limits[i].resource >= kRlimitCount) give_up(child, kStepLimits, EINVAL);
    const struct rlimit limit = {system_limit(limits[i].soft), system_limit(limits[i].hard)};
    if (setrlimit(kRlimits[limits[i].resource], &limit) < 0) give_up(child, kStepLimits);
  }
}

// The first group is the effective one. More than the kernel takes is an error, as for jail(8).
void set_identity(const Child& child) {
  const Identity& id = *child.identity;
  const gid_t* groups = id.group_count > 0 ? id.groups : &id.gid;
  const size_t count = id.group_count > 0 ? id.group_count : 1;
  if (setgroups(static_cast<int>(count), groups) < 0) give_up(child, kStepGroups);
  if (setresgid(id.gid, id.gid, id.gid) < 0) give_up(child, kStepGid);
  set_login_name(id);
  if (setresuid(id.uid, id.uid, id.uid) < 0) give_up(child, kStepUid);
}

const char* search_path(const CommandSpec& command) {
  if ((command.flags & CommandSpec::kSearchPath) == 0) return nullptr;
  if (strchr(command.file, '/') != nullptr) return nullptr;
  for (size_t i = 0; i < command.env_count; i++) {
    if (strncmp(command.env[i], "PATH=", 5) == 0) return command.env[i] + 5;
  }
  return "/usr/bin:/bin";
}

// A string that is longer than the room for it is EFAULT, where it should be ENAMETOOLONG or E2BIG
// (tried on 5.9). All of ours can be read.
int try_exec(const CommandSpec& command, const char* path) {
  execve(path, const_cast<char* const*>(command.argv), const_cast<char* const*>(command.env));
  if (errno != EFAULT) return errno;
  return strlen(path) >= PATH_MAX ? ENAMETOOLONG : E2BIG;
}

// dir/file; false when it does not fit.
bool join_path(char (&path)[1024], const char* dir, size_t length, const char* file) {
  const size_t rest = strlen(file);
  if (length + rest + 2 > sizeof path) return false;
  memcpy(path, dir, length);
  if (length > 0) path[length++] = '/';
  memcpy(path + length, file, rest + 1);
  return true;
}

// As execvp(3): the first that can be run; EACCES is remembered over ENOENT.
int search_and_exec(const CommandSpec& command, const char* dirs) {
  int result = ENOENT;
  for (const char* dir = dirs;;) {
    char path[1024];
    const size_t length = strcspn(dir, ":");
    if (join_path(path, dir, length, command.file)) {
      const int number = try_exec(command, path);
      if (number != ENOENT && number != ENOTDIR && number != EACCES) return number;
      if (number == EACCES) result = EACCES;
    }
    if (dir[length] == '\0') return result;
    dir += length + 1;
  }
}

[[noreturn]] void run_child(Child* child) {
  const CommandSpec& command = *child->command;
  place_descriptors(child);
  forget_secrets(&command);
  set_terminal(*child);
  enter(*child);
  set_limits(*child, child->jail->limits, child->jail->limit_count);
  set_class_context(*child->jail, child->identity->context);
  set_limits(*child, command.limits, command.limit_count);
  set_identity(*child);
  if (chdir(command.cwd) < 0) give_up(*child, kStepCwd);
  reset_signals();
  // Nobody is left to tell of it, and recovery may have cleared the jail before it came in.
  if (getppid() != child->monitor) _exit(127);
  const char* dirs = search_path(command);
  give_up(*child, kStepExec,
          dirs == nullptr ? try_exec(command, command.file) : search_and_exec(command, dirs));
}

// ---- in the monitor

// A queue that can be read once the process has ended, at once if it has already.
UniqueFd watch_exit(pid_t pid) {
  UniqueFd queue(kqueue());
  struct kevent event;
  EV_SET(&event, static_cast<uintptr_t>(pid), EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, nullptr);
  if (!queue || fcntl(queue.get(), F_SETFD, FD_CLOEXEC) < 0) return UniqueFd();
  if (kevent(queue.get(), &event, 1, nullptr, 0, nullptr) < 0) return UniqueFd();
  return queue;
}

bool can_be_started(const CommandSpec& command, Error* error) {
  return (command.flags & CommandSpec::kNoNewPrivileges) == 0 ||
         fail_with_code(error, "capabilities", "ERR_JAIL_UNSUPPORTED", "",
                        "DragonFly always heeds set-user-id bits: leave set-user-id programs out "
                        "of the root, or mount it with nosuid.");
}

}  // namespace

bool start_command(Jail* jail, const CommandSpec& command, const Identity& identity,
                   const int* descriptors, Started* started, Error* error) {
  if (!can_be_started(command, error)) return false;
  int report[2];
  if (pipe2(report, O_CLOEXEC) < 0) return fail(error, "enter", "pipe2");
  started->launched.reset(report[0]);
  const UniqueFd report_end(report[1]);
  Launch* launch = static_cast<Launch*>(calloc(1, sizeof(Launch)));
  if (launch == nullptr) return fail(error, "enter", "malloc", "", ENOMEM);
  launch->command = &command;
  Child child = {jail, &command, &identity, {}, report[1], getpid()};
  memcpy(child.descriptors, descriptors, sizeof child.descriptors);
  started->pid = fork();
  if (started->pid == 0) run_child(&child);
  if (started->pid > 0) started->exited = watch_exit(started->pid);
  if (started->pid < 0 || !started->exited) {
    const int number = errno;
    free(launch);
    if (started->pid < 0) return fail(error, "enter", "fork", "", number);
    kill(started->pid, SIGKILL);
    while (waitpid(started->pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return fail(error, "enter", "kqueue", "", number);
  }
  started->launch = launch;
  return true;
}

bool finish_launch(Started* started, const char* file, pid_t* jail_pid, Error* error) {
  Failure failure;
  const ssize_t n = read(started->launched.get(), &failure, sizeof failure);
  started->launched.reset();
  *jail_pid = started->pid;
  // The end: it became the command, or was killed on the way, which its status then says.
  if (n != static_cast<ssize_t>(sizeof failure)) return true;
  if (failure.step > kStepExec) return fail(error, "enter", "read", file, EBADMSG);
  if (failure.step == kStepEnter && failure.number == EINVAL) {
    return fail_with_code(error, "enter", "ERR_JAIL_STOPPED", file, "The jail is gone.");
  }
  const char* about = failure.step == kStepExec ? file : "";
  if (failure.step == kStepCwd) about = started->launch->command->cwd;
  const StepName& name = kSteps[failure.step];
  return fail(error, name.step, name.call, about, failure.number);
}

void free_launch(Started* started) {
  free(started->launch);
  started->launch = nullptr;
}

bool has_login_classes() { return true; }

bool signal_command(const Started& started, int signal) {
  return kill(started.pid, signal) == 0;  // not reaped yet, so nobody else has its number
}

// The event of an exit comes once, and brings the status: whoever traces the process in the jail
// can take it from our wait, not from here.
bool exit_status(const Started& started, int* status) {
  struct kevent event;
  const timespec now = {0, 0};
  if (kevent(started.exited.get(), nullptr, 0, &event, 1, &now) != 1) return false;
  *status = static_cast<int>(event.data);
  return (event.fflags & NOTE_EXIT) != 0;
}

}  // namespace dfjail
