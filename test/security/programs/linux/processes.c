#include "calls.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

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
/* PID: stopped, until our input ends. */
static long hold(char** args) {
  char byte;
  if (ptrace(PTRACE_ATTACH, atoi(args[0]), NULL, NULL) < 0) return -1;
  waitpid(atoi(args[0]), NULL, __WALL);
  printf("holding\n");
  fflush(stdout);
  while (read(0, &byte, 1) > 0) {
  }
  return ptrace(PTRACE_DETACH, atoi(args[0]), NULL, NULL);
}
/* PID: runs on, and we are told of its end first. */
static long adopt(char** args) {
  int status, pid = atoi(args[0]);
  if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0 || waitpid(pid, &status, __WALL) < 0) return -1;
  printf("adopting\n");
  fflush(stdout);
  do ptrace(PTRACE_CONT, pid, NULL, NULL);
  while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status));
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
const struct attempt linux_process_attempts[] = {{"tgkill", signal_thread},
                                                 {"trace", trace},
                                                 {"hold", hold},
                                                 {"adopt", adopt},
                                                 {"seize", seize},
                                                 {"read-memory", read_memory},
                                                 {"write-memory", write_memory},
                                                 {"open-memory", open_memory},
                                                 {"take-descriptor", take_descriptor},
                                                 {"signal-descriptor", signal_descriptor},
                                                 {"change-limit", change_limit},
                                                 {NULL, NULL}};
