#include "../attempt.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/param.h>
#include <sys/ktrace.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The first thread of a process has one of these numbers. */
static long signal_thread(char** args) {
  int pid = atoi(args[0]), signal = atoi(args[1]);
  if (syscall(SYS_lwp_kill, pid, 1, signal) == 0) return 0;
  return syscall(SYS_lwp_kill, pid, 0, signal);
}

static long attach(int pid) {
  if (ptrace(PT_ATTACH, pid, NULL, 0) < 0) return -1;
  return waitpid(pid, NULL, 0) < 0 ? -1 : 0;
}
static void detach(int pid) {
  int number = errno;
  ptrace(PT_DETACH, pid, (caddr_t)1, 0);
  errno = number;
}

static long trace(char** args) {
  int pid = atoi(args[0]);
  if (attach(pid) < 0) return -1;
  detach(pid);
  return 0;
}

/* PID: stopped, until our input ends. */
static long hold(char** args) {
  char byte;
  if (attach(atoi(args[0])) < 0) return -1;
  printf("holding\n");
  fflush(stdout);
  while (read(0, &byte, 1) > 0) {
  }
  detach(atoi(args[0]));
  return 0;
}
/* PID: runs on, and we are told of its end first. */
static long adopt(char** args) {
  int status, pid = atoi(args[0]);
  if (attach(pid) < 0) return -1;
  printf("adopting\n");
  fflush(stdout);
  do ptrace(PT_CONTINUE, pid, (caddr_t)1, 0);
  while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
  return 0;
}

/* PID ADDRESS */
static long copy_memory(char** args, int operation) {
  char text[8] = "changed";
  int pid = atoi(args[0]);
  struct ptrace_io_desc request = {operation, (void*)strtoul(args[1], NULL, 0), text, sizeof text};
  if (attach(pid) < 0) return -1;
  long result = ptrace(PT_IO, pid, (caddr_t)&request, 0);
  detach(pid);
  return result;
}
static long read_memory(char** args) { return copy_memory(args, PIOD_READ_D); }
static long write_memory(char** args) { return copy_memory(args, PIOD_WRITE_D); }

static long open_memory(char** args) {
  char path[64], byte;
  snprintf(path, sizeof path, "/proc/%s/mem", args[0]);
  int fd = open(path, O_RDWR);
  return fd < 0 ? -1 : pread(fd, &byte, 1, (off_t)strtoul(args[1], NULL, 0));
}

/* What it calls, into a file of ours. */
static long trace_calls(char** args) {
  const char* file = "/tmp/calls-of-others";
  close(open(file, O_CREAT | O_WRONLY, 0600));
  if (ktrace(file, KTROP_SET, KTRFAC_SYSCALL, atoi(args[0])) < 0) return -1;
  return ktrace(NULL, KTROP_CLEAR, KTRFAC_SYSCALL, atoi(args[0]));
}

const struct attempt dragonfly_process_attempts[] = {{"tgkill", signal_thread},
                                                     {"trace", trace},
                                                     {"hold", hold},
                                                     {"adopt", adopt},
                                                     {"read-memory", read_memory},
                                                     {"write-memory", write_memory},
                                                     {"open-memory", open_memory},
                                                     {"trace-calls", trace_calls},
                                                     {NULL, NULL}};
