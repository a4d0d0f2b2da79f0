#include "../inmate_system.hh"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/ioctl.h>

#include "../../common/number.hh"
#include "../../dragonfly/devfs_rules.hh"
#include "../../dragonfly/jail_calls.hh"
#include "../../dragonfly/mount.hh"
#include "../../dragonfly/processes.hh"
#include "../../dragonfly/sysctl.hh"

namespace selftest {
namespace {

int number_of(const char* word) {
  int number = 0;
  return dfjail::take_number(&word, &number) ? number : 0;
}

int own_jid() {
  dfjail::ProcessList list;
  dfjail::Error error;
  if (!list.read(false, getpid(), &error) || list.size() != 1) return 1;
  printf("%d\n", list.begin()->kp_jailid);
  return 0;
}

int nested() {
  printf("%s ", dfjail::jail_create("/", "nested", nullptr, 0) < 0 ? strerror(errno) : "made");
  printf("%s\n", dfjail::jail_enter(1) < 0 ? strerror(errno) : "entered");
  return 0;
}

int mounts() {
  dfjail::MountList list;
  if (!list.read()) return 1;
  for (size_t i = 0; i < list.size(); i++) {
    if (list[i].f_mntonname[1] == '\0') continue;  // what the root lies on
    printf("%s %s\n", list[i].f_fstypename, list[i].f_mntonname);
  }
  return 0;
}

// Calls a devfs by another name: the kernel keeps the one that was asked for last.
int mounts_from(const char* root) { return chroot(root) == 0 && chdir("/") == 0 ? mounts() : 1; }

// Stops whatever comes in, for ever. One by one: kill(-1) can panic the kernel (docs/dragonfly.md).
int stop_everybody() {
  signal(SIGTERM, SIG_IGN);
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    dfjail::ProcessList list;
    dfjail::Error error;
    if (!list.read(&error)) continue;
    for (const kinfo_proc& process : list) {
      if (process.kp_pid > 1 && process.kp_pid != getpid()) kill(process.kp_pid, SIGSTOP);
    }
  }
}

// /dev/devfs is the one device that no rule can hide.
int change_rules(const char* mount_point) {
  dfjail::Error error;
  const bool changed = dfjail::devfs_clear_rules(mount_point, &error);
  printf("%s\n", changed ? "changed" : strerror(error.number));
  return 0;
}

// A terminal of the jail's own.
int open_pty() {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  const bool usable = master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0;
  const char* name = usable ? ptsname(master) : nullptr;
  const int slave = name == nullptr ? -1 : open(name, O_RDWR | O_NOCTTY);
  printf("%s\n", slave >= 0 && isatty(slave) == 1 ? "terminal" : strerror(errno));
  return 0;
}

int tune() {
  char name[64];
  dfjail::ProcessList list;
  dfjail::Error error;
  if (!list.read(false, getpid(), &error) || list.size() != 1) return 1;
  snprintf(name, sizeof name, "jail.%d.net_raw_sockets", list.begin()->kp_jailid);
  printf("%s\n", dfjail::sysctl_set_int(name, 1) ? "changed" : strerror(errno));
  return 0;
}

int mount_inside(const char* where) {
  if (dfjail::mount_tmpfs(where, 0, 1 << 20, 0, 0, 0755)) return 0;
  printf("%s\n", strerror(errno));
  return 1;
}

// Each on a folder of the one before.
int mount_deep(const char* where) {
  char path[256];
  snprintf(path, sizeof path, "%s", where);
  for (int i = 0; i < 4; i++) {
    if (mount_inside(path) != 0) return 1;
    const size_t n = strlen(path);
    snprintf(path + n, sizeof path - n, "/deeper");
    if (mkdir(path, 0755) < 0) return 1;
  }
  return 0;
}

// Over whatever lies there, which may be a null mount of the host's.
int mount_over(const char* where) {
  if (dfjail::mount_null(where, "/etc", 0)) return 0;
  printf("%s\n", strerror(errno));
  return 1;
}

// A path of several times what the kernel shows of it, the last name alone longer than that.
int mount_far_down(const char* name) {
  char longest[201];
  memset(longest, 'n', 200);
  longest[200] = '\0';
  for (int i = 0; i < 4; i++) {
    const char* next = i < 3 ? name : longest;
    if (mkdir(next, 0755) < 0 || chdir(next) < 0) return 1;
  }
  // Another one whose name begins the same way.
  char twin[204] = "../";
  memset(twin + 3, 'n', 199);
  if (mkdir(twin, 0755) < 0) return 1;
  return mount_inside(".");
}

int say_ready() {
  printf("ready\n");
  return fflush(stdout);
}

// Serves one connection and is the first to close it.
int serve(const char* port) {
  sockaddr_in address = {};
  address.sin_len = sizeof address;
  address.sin_family = AF_INET;
  const int number = number_of(port);
  address.sin_port = static_cast<in_port_t>((number & 0xff) << 8 | number >> 8);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) return 1;
  if (listen(listener, 8) < 0 || say_ready() < 0) return 1;
  for (;;) {
    const int client = accept(listener, nullptr, nullptr);
    if (client < 0) return 1;
    if (write(client, "hello\n", 6) != 6) return 1;
    close(client);
  }
}

// Writes so many bytes to its terminal and ends.
int show(const char* count) {
  static char text[100000];
  const size_t size = static_cast<size_t>(number_of(count));
  memset(text, 'x', size);
  return write(1, text, size) == static_cast<ssize_t>(size) ? 0 : 1;
}

// The first other process of the jail.
pid_t find_other() {
  dfjail::ProcessList list;
  dfjail::Error error;
  if (!list.read(&error)) return 0;
  for (const kinfo_proc& process : list) {
    if (process.kp_pid > 1 && process.kp_pid != getpid()) return process.kp_pid;
  }
  return 0;
}

// Traces another process of the jail; with "reap" it waits for its end, otherwise never.
int trace(const char* how) {
  const pid_t other = find_other();
  int status = 0;
  if (other == 0 || ptrace(PT_ATTACH, other, nullptr, 0) < 0) return 1;
  if (waitpid(other, &status, 0) != other || !WIFSTOPPED(status)) return 1;
  if (ptrace(PT_CONTINUE, other, reinterpret_cast<caddr_t>(1), 0) < 0) return 1;
  say_ready();
  while (strcmp(how, "reap") == 0) {
    if (waitpid(other, &status, 0) != other) return 1;
    if (!WIFSTOPPED(status)) return 0;
    ptrace(PT_CONTINUE, other, reinterpret_cast<caddr_t>(1), WSTOPSIG(status));
  }
  for (;;) pause();
}

// Ends with a status of its own when it is asked to.
int end_with(const char* status) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  say_ready();
  int number = 0;
  sigwait(&set, &number);
  return number_of(status);
}

int escape(const char* path) {
  const bool out = chdir(path) == 0;
  printf("%s\n", out ? "out" : strerror(errno));
  return 0;
}

int login_name() {
  const char* name = getlogin();
  printf("%s\n", name == nullptr ? "" : name);
  return 0;
}

int mask() {
  printf("%o\n", static_cast<unsigned>(umask(0)));
  return 0;
}

// What a login class changes, as far as it is limited.
int context() {
  constexpr struct {
    int number;
    const char* name;
  } kLimits[] = {{RLIMIT_CPU, "cpu"},
                 {RLIMIT_FSIZE, "fsize"},
                 {RLIMIT_CORE, "core"},
                 {RLIMIT_NOFILE, "nofile"},
                 {RLIMIT_SBSIZE, "sbsize"}};
  printf("umask %o nice %d\n", static_cast<unsigned>(umask(0)), getpriority(PRIO_PROCESS, 0));
  for (const auto& limit : kLimits) {
    struct rlimit value;
    if (getrlimit(limit.number, &value) < 0) return 1;
    if (value.rlim_max == RLIM_INFINITY) continue;
    printf("%s %lld %lld\n", limit.name, static_cast<long long>(value.rlim_cur),
           static_cast<long long>(value.rlim_max));
  }
  return 0;
}

int hostname() {
  char name[256] = "";
  printf("%s\n", gethostname(name, sizeof name) == 0 ? name : strerror(errno));
  return 0;
}

}  // namespace

int run_system_verb(const char* verb, const char* word) {
  if (strcmp(verb, "jid") == 0) return own_jid();
  if (strcmp(verb, "nested") == 0) return nested();
  if (strcmp(verb, "mounts") == 0) return mounts();
  if (strcmp(verb, "mountsfrom") == 0) return mounts_from(word);
  if (strcmp(verb, "rules") == 0) return change_rules(word);
  if (strcmp(verb, "pty") == 0) return open_pty();
  if (strcmp(verb, "tune") == 0) return tune();
  if (strcmp(verb, "stopper") == 0) return stop_everybody();
  if (strcmp(verb, "mount") == 0) return mount_inside(word);
  if (strcmp(verb, "mountdeep") == 0) return mount_deep(word);
  if (strcmp(verb, "mountover") == 0) return mount_over(word);
  if (strcmp(verb, "mountfar") == 0) return mount_far_down(word);
  if (strcmp(verb, "serve") == 0) return serve(word);
  if (strcmp(verb, "show") == 0) return show(word);
  if (strcmp(verb, "trace") == 0) return trace(word);
  if (strcmp(verb, "endwith") == 0) return end_with(word);
  if (strcmp(verb, "chdir") == 0) return escape(word);
  if (strcmp(verb, "hostname") == 0) return hostname();
  if (strcmp(verb, "getlogin") == 0) return login_name();
  if (strcmp(verb, "umask") == 0) return mask();
  if (strcmp(verb, "context") == 0) return context();
  return 2;
}

}  // namespace selftest
