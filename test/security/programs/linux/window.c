#include "calls.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* ---- the window between a command's birth in the jail and its exec */

static struct robbery {
  const char* secret; /* a path on the host */
  const char* mount;  /* a mount point that only the host has */
  const char* socket; /* the name of a socket that only the host's network has */
  long seen, stopped, memory, traced, descriptors, places, network, mounts, environment;
} window;

static int contains(const char* path, const char* text) {
  static char buffer[1 << 20];
  size_t n = 0;
  int fd = open(path, O_RDONLY);
  if (fd < 0) return 0;
  for (ssize_t got; n < sizeof buffer - 1 && (got = read(fd, buffer + n, sizeof buffer - 1 - n)) > 0;)
    n += (size_t)got;
  close(fd);
  buffer[n] = '\0';
  return memmem(buffer, n, text, strlen(text)) != NULL;
}

static int can_read(const char* path) {
  char byte;
  int fd = open(path, O_RDONLY);
  if (fd < 0) return 0;
  ssize_t n = read(fd, &byte, 1);
  close(fd);
  return n > 0 || (n < 0 && errno != EPERM && errno != EACCES && errno != ESRCH);
}

static int exists(const char* path) {
  struct stat info;
  return stat(path, &info) == 0;
}

/* Everything that one might get from a process that is about to become a command. */
static void rob(int pid) {
  char path[4096];
  struct iovec here = {path, 8}, there = {path, 8};
#define OF(...) (snprintf(path, sizeof path, __VA_ARGS__), path)
  window.network += contains(OF("/proc/%d/net/unix", pid), window.socket);
  window.mounts += contains(OF("/proc/%d/mountinfo", pid), window.mount);
  window.mounts += contains(OF("/proc/%d/mounts", pid), window.mount);
  window.places += exists(OF("/proc/%d/root%s", pid, window.secret));
  window.places += exists(OF("/proc/%d/cwd/../../../../../../..%s", pid, window.secret));
  window.places += can_read(OF("/proc/%d/exe", pid));
  window.memory += can_read(OF("/proc/%d/maps", pid));
  window.environment += can_read(OF("/proc/%d/environ", pid));
  window.memory += process_vm_readv(pid, &here, 1, &there, 1, 0) > 0;
  for (int fd = 0; fd < 24; fd++) window.descriptors += exists(OF("/proc/%d/fd/%d", pid, fd));
  int pidfd = (int)syscall(CALL_PIDFD_OPEN, pid, 0);
  for (int fd = 0; pidfd >= 0 && fd < 24; fd++) {
    int copy = (int)syscall(CALL_PIDFD_GETFD, pidfd, fd, 0);
    if (copy < 0) continue;
    window.descriptors++;
    close(copy);
  }
  close(pidfd);
  if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) {
    window.traced++;
    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
    waitpid(pid, NULL, __WALL);
    ptrace(PTRACE_DETACH, pid, NULL, NULL);
  }
#undef OF
}

/* Is it still the monitor's child, or the command already? */
static int is_on_its_way(int pid) {
  char path[64], name[32] = "";
  snprintf(path, sizeof path, "/proc/%d/comm", pid);
  int fd = open(path, O_RDONLY);
  if (fd < 0) return 0;
  ssize_t n = read(fd, name, sizeof name - 1);
  close(fd);
  return n > 0 && strncmp(name, "jail-monitor", 12) == 0;
}

static int exists_now(int pid) { return kill(pid, 0) == 0 || errno == EPERM; }

/* What was taken counts unless it was a command by then: that one is fair game. */
static void rob_on_the_way(int pid) {
  struct robbery before = window;
  if (!is_on_its_way(pid)) return;
  rob(pid);
  if (!is_on_its_way(pid)) window = before;
}

/* Where it may be stopped it stands still meanwhile: else there is hardly time for a second go. */
static void attack(int pid) {
  if (!is_on_its_way(pid)) return;
  window.seen++;
  int stopped = kill(pid, SIGSTOP) == 0;
  for (int i = 0; i < 3; i++) rob_on_the_way(pid);
  if (!stopped) return;
  window.stopped += is_on_its_way(pid);
  kill(pid, window.stopped % 3 == 2 ? SIGKILL : SIGCONT);
}

static void report_window(void) {
  printf(
      "{\"seen\":%ld,\"stopped\":%ld,\"memory\":%ld,\"traced\":%ld,\"descriptors\":%ld,\"places\":%ld,"
      "\"network\":%ld,\"mounts\":%ld,\"environment\":%ld}\n",
      window.seen, window.stopped, window.memory, window.traced, window.descriptors, window.places,
      window.network, window.mounts, window.environment);
}

static void set_window(char** args) {
  window.secret = args[0];
  window.mount = args[1];
  window.socket = args[2];
}

/* The last pid that was given out. */
static int last_pid(void) {
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  waitpid(pid, NULL, 0);
  return (int)pid;
}

/* SECONDS SECRET MOUNT SOCKET: pids are given out in order, so whoever is born next is waited for. */
static long attack_window(char** args) {
  double end = now() + atof(args[0]);
  set_window(args + 1);
  printf("attacking\n");
  fflush(stdout);
  while (now() < end) {
    int next = last_pid() + 1;
    for (int i = 0; i < 3000; i++) {
      if (!exists_now(next)) continue;
      attack(next++);
    }
  }
  report_window();
  return 0;
}

/* The control: the same robber, and a process that nothing protects. */
static long rob_process(char** args) {
  set_window(args + 1);
  window.seen = 1;
  rob(atoi(args[0]));
  report_window();
  return 0;
}

const struct attempt window_attempts[] = {
    {"attack-window", attack_window}, {"rob", rob_process}, {NULL, NULL}};
