#include "monitor_start.hh"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <string>

#include "../common/error.hh"
#include "../common/unique_fd.hh"
#include "arguments.hh"
#include "errors.hh"
#include "monitor_program.hh"
#include "promise_worker.hh"
#include "state.hh"

namespace dfjail {
namespace {

constexpr const char* kStep = "monitor";
constexpr int kMonitorSocket = 3;
// Where our descriptors for the child start, above all numbers that it gets them under.
constexpr int kAboveStdio = 10;

UniqueFd duplicate_above(int fd) { return UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, kAboveStdio)); }

// How the monitor starts: its own session, every signal as after a boot, no descriptors but its
// own.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }

  // 0, or the number of the error.
  int prepare(int socket, int error_output, int program) {
    if (const int number = set_signals()) return number;
    return set_descriptors(socket, error_output, program);
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  int set_signals() {
    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
#ifdef POSIX_SPAWN_SETSID
    flags = static_cast<short>(flags | POSIX_SPAWN_SETSID);  // elsewhere the monitor does it itself
#endif
    sigset_t set;
    sigemptyset(&set);
    if (const int number = posix_spawnattr_setsigmask(&attributes_, &set)) return number;
    set_resettable(&set);
    if (const int number = posix_spawnattr_setsigdefault(&attributes_, &set)) return number;
    return posix_spawnattr_setflags(&attributes_, flags);
  }

  // Every signal that can be put back to its default. Where posix_spawn looks at the result of
  // sigaction(2), one that cannot be fails it.
  static void set_resettable(sigset_t* set) {
    // Not sigfillset: glibc leaves its own two signals out, and posix_spawn then makes the child
    // ignore them, which every command would inherit.
    memset(set, 0xff, sizeof *set);
    sigdelset(set, SIGKILL);
    sigdelset(set, SIGSTOP);
#ifdef SIGTHR
    sigdelset(set, SIGTHR);  // the BSDs' thread libraries keep it for themselves
#endif
  }

  // Sources are above all targets, so no dup2 has the same number twice (which would keep its
  // close-on-exec flag on some systems) and none overwrites a source.
  int set_descriptors(int socket, int error_output, int program) {
    posix_spawn_file_actions_t* list = &actions_;
    if (const int n = posix_spawn_file_actions_addopen(list, 0, "/dev/null", O_RDONLY, 0)) return n;
    if (const int n = posix_spawn_file_actions_addopen(list, 1, "/dev/null", O_WRONLY, 0)) return n;
    if (const int n = posix_spawn_file_actions_adddup2(list, error_output, 2)) return n;
    if (const int n = posix_spawn_file_actions_adddup2(list, socket, kMonitorSocket)) return n;
    if (program >= 0) {
      // The monitor closes it.
      if (const int n = posix_spawn_file_actions_adddup2(list, program, kProgramDescriptor))
        return n;
    }
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
    // Node's own descriptors are close-on-exec; those of other addons may not be.
    return posix_spawn_file_actions_addclosefrom_np(
        list, program >= 0 ? kProgramDescriptor + 1 : kMonitorSocket + 1);
#endif
#endif
    return 0;
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// Node marks its own stderr close-on-exec, and a program may have closed it.
UniqueFd open_error_output() {
  UniqueFd copy = duplicate_above(2);
  if (copy) return copy;
  const UniqueFd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  return duplicate_above(null.get());
}

// posix_spawn shares memory with the child until it execs, so that the size of our heap does not
// matter. 0, or the number of the error.
int spawn_program(const MonitorProgram& program, int socket, int error_output, pid_t* pid) {
  SpawnSettings settings;
  if (const int number = settings.prepare(socket, error_output, program.descriptor)) return number;
  // Not the whole path: the arguments of a command that is not yet one can be seen in its jail.
  std::string name("jail-monitor");
  std::string path("PATH=/usr/bin:/bin:/usr/sbin:/sbin");
  char* argv[] = {name.data(), nullptr};
  char* environment[] = {path.data(), nullptr};
  return posix_spawn(pid, program.path.c_str(), settings.actions(), settings.attributes(), argv,
                     environment);
}

bool spawn_monitor(const char* file, int socket, pid_t* pid, Error* error) {
  const UniqueFd above = duplicate_above(socket);
  const UniqueFd error_output = open_error_output();
  if (!above || !error_output) return fail(error, kStep, "fcntl");
  MonitorProgram program;
  if (!find_monitor_program(file, false, &program, error)) return false;
  int number = spawn_program(program, above.get(), error_output.get(), pid);
  // Something may have happened to what was made for an earlier one.
  if (number == EACCES && program.known) {
    if (!find_monitor_program(file, true, &program, error)) return false;
    number = spawn_program(program, above.get(), error_output.get(), pid);
  }
  return number == 0 || fail(error, kStep, "posix_spawn", file, number);
}

bool start_monitor(const char* file, UniqueFd* ours, pid_t* pid, Error* error) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
    return fail(error, kStep, "socketpair");
  }
  ours->reset(ends[0]);
  const UniqueFd theirs(ends[1]);
  if (fcntl(ours->get(), F_SETFL, O_NONBLOCK) < 0) return fail(error, kStep, "fcntl");
  return spawn_monitor(file, theirs.get(), pid, error);
}

class StartMonitor : public PromiseWorker {
 public:
  StartMonitor(Napi::Env env, std::string file)
      : PromiseWorker(env, "StartMonitor"), file_(std::move(file)) {}

 private:
  bool run(Error* error) override { return start_monitor(file_.c_str(), &socket_, &pid_, error); }

  // Whether JavaScript hears of it or not, the pid is this environment's to reap. A socket that is
  // not delivered closes with this object, which ends the monitor.
  Napi::Value result(Napi::Env env) override {
    State::of(env)->monitors.push_back(pid_);
    Napi::Object object = Napi::Object::New(env);
    object.Set("pid", Napi::Number::New(env, pid_));
    object.Set("fd", Napi::Number::New(env, socket_.get()));
    return object;
  }
  void delivered() override {
    State::of(Env())->give(socket_.get());
    socket_.release();
  }

  std::string file_;
  UniqueFd socket_;
  pid_t pid_ = -1;
};

Napi::Value start(const Napi::CallbackInfo& info) {
  std::string file;
  if (!get_text(info, 0, "file", &file)) return info.Env().Undefined();
  return (new StartMonitor(info.Env(), std::move(file)))->start();
}

// Only pids that were started here: another child's status belongs to whoever started that.
Napi::Value reap(const Napi::CallbackInfo& info) {
  int pid = 0;
  const Napi::Env env = info.Env();
  if (!get_integer(info, 0, "pid", 1, INT32_MAX, &pid)) return env.Undefined();
  std::vector<pid_t>& monitors = State::of(env)->monitors;
  const auto known = std::find(monitors.begin(), monitors.end(), pid);
  if (known == monitors.end()) return Napi::Number::New(env, -1);
  int status = -1;
  pid_t found;
  do {
    found = waitpid(pid, &status, WNOHANG);
  } while (found < 0 && errno == EINTR);
  if (found == 0) return env.Null();
  monitors.erase(known);
  return Napi::Number::New(env, found < 0 ? -1 : status);
}

}  // namespace

void define_monitor_start(Napi::Env env, Napi::Object exports) {
  exports.Set("startMonitor", Napi::Function::New(env, start, "startMonitor"));
  exports.Set("reapMonitor", Napi::Function::New(env, reap, "reapMonitor"));
}

}  // namespace dfjail
