#include "attempt.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

static long signal_process(char** args) { return kill(atoi(args[0]), atoi(args[1])); }
static long signal_thread(char** args) {
  return syscall(SYS_tgkill, atoi(args[0]), atoi(args[0]), atoi(args[1]));
}

static long trace(char** args) {
  int pid = atoi(args[0]);
  if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0) return -1;
  waitpid(pid, NULL, __WALL);
  ptrace(PTRACE_DETACH, pid, NULL, NULL);
  return 0;
}
static long seize(char** args) { return ptrace(PTRACE_SEIZE, atoi(args[0]), NULL, NULL); }

/* PID ADDRESS: what `print-address` said there. */
static long copy_memory(char** args, int write) {
  char text[8] = "changed";
  struct iovec here = {text, sizeof text};
  struct iovec there = {(void*)strtoul(args[1], NULL, 0), sizeof text};
  return (write ? process_vm_writev : process_vm_readv)(atoi(args[0]), &here, 1, &there, 1, 0);
}
static long read_memory(char** args) { return copy_memory(args, 0); }
static long write_memory(char** args) { return copy_memory(args, 1); }

static long open_memory(char** args) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/mem", args[0]);
  int fd = open(path, O_RDWR);
  if (fd < 0) return -1;
  char byte;
  return pread(fd, &byte, 1, (off_t)strtoul(args[1], NULL, 0));
}

static long take_descriptor(char** args) {
  int pidfd = syscall(CALL_PIDFD_OPEN, atoi(args[0]), 0);
  return pidfd < 0 ? -1 : syscall(CALL_PIDFD_GETFD, pidfd, atoi(args[1]), 0);
}
static long signal_descriptor(char** args) {
  int pidfd = syscall(CALL_PIDFD_OPEN, atoi(args[0]), 0);
  return pidfd < 0 ? -1 : syscall(424 /* pidfd_send_signal */, pidfd, 0, NULL, 0);
}
static long change_limit(char** args) {
  struct rlimit limit;
  return prlimit(atoi(args[0]), RLIMIT_NOFILE, NULL, &limit);
}
static long change_priority(char** args) { return setpriority(PRIO_PROCESS, atoi(args[0]), 19); }

/* How many processes of the whole pid space take a signal, and how many of them /proc does not show. */
static long count_reachable(char** args) {
  int last = atoi(args[0]);
  long reachable = 0, hidden = 0;
  char path[32];
  for (int pid = 1; pid <= last; pid++) {
    if (kill(pid, 0) < 0 && errno == ESRCH) continue;
    reachable++;
    snprintf(path, sizeof path, "/proc/%d", pid);
    if (access(path, F_OK) < 0) hidden++;
  }
  printf("reachable %ld hidden %ld\n", reachable, hidden);
  return 0;
}

static char mark[8] = "mark me";

/* A process to try things on; says its pid and an address, and stays until its input ends. */
static long victim(char** args) {
  (void)args;
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  printf("victim %d %p\n", (int)getpid(), (void*)mark);
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  return 0;
}

const struct attempt process_attempts[] = {{"kill", signal_process},
                                           {"tgkill", signal_thread},
                                           {"trace", trace},
                                           {"seize", seize},
                                           {"read-memory", read_memory},
                                           {"write-memory", write_memory},
                                           {"open-memory", open_memory},
                                           {"take-descriptor", take_descriptor},
                                           {"signal-descriptor", signal_descriptor},
                                           {"change-limit", change_limit},
                                           {"change-priority", change_priority},
                                           {"count-reachable", count_reachable},
                                           {"victim", victim},
                                           {NULL, NULL}};
