// Stands in the place of jail-monitor: runs the real one under ptrace(2) and makes one of its system calls fail, or one
// of its children's before their exec. In its own folder:
//
//   plan     "PROGRAM JOURNAL TASK CALL NTH ERRNO": the monitor's file; the journal's name; which task (0 the monitor,
//            then its children in the order of their birth, -1 none); the call's number; which of that task's calls of
//            that number, from 1; with which errno
//   JOURNAL  written at the end, one line a call: "TASK CALL", and one "hit" where a call was made to fail
//
// A call that fails is not made at all, but for close(2): the kernel closes whatever it says.
#define _GNU_SOURCE
#include "../own_path.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/reg.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_TASKS = 256, MOST_CALLS = 512, MOST_LINES = 1 << 16 };

struct task {
  pid_t pid;
  int started;  // its exec, or its birth, is over
  int inside;   // a call
  int failing;  // that call is to fail
  int seen[MOST_CALLS];
};

struct plan {
  char program[PATH_MAX];
  char journal[64];
  int task, call, nth, number;
};

static struct task tasks[MOST_TASKS];
static int task_count;
static struct plan plan;
static struct { short task, call; } lines[MOST_LINES];
static int line_count;
static int hits;
static char folder[PATH_MAX];

static void die(const char *what) {
  perror(what);
  exit(125);
}

static FILE *file(const char *name, const char *mode) {
  char path[PATH_MAX + 16];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *opened = fopen(path, mode);
  if (opened == NULL) die(path);
  return opened;
}

static void read_plan(void) {
  if (own_path(folder, sizeof folder) < 0) die("own path");
  *strrchr(folder, '/') = '\0';
  FILE *in = file("plan", "re");
  const int got = fscanf(in, "%4095s %63s %d %d %d %d", plan.program, plan.journal, &plan.task, &plan.call, &plan.nth,
                         &plan.number);
  if (got != 6) die("plan");
  fclose(in);
}

static void write_journal(void) {
  FILE *out = file(plan.journal, "we");
  for (int i = 0; i < line_count; i++) fprintf(out, "%d %d\n", lines[i].task, lines[i].call);
  if (hits > 0) fprintf(out, "hit\n");
  fclose(out);
}

static struct task *task_of(pid_t pid) {
  for (int i = 0; i < task_count; i++) {
    if (tasks[i].pid == pid) return &tasks[i];
  }
  return NULL;
}

static struct task *add_task(pid_t pid) {
  struct task *known = task_of(pid);
  if (known != NULL || task_count == MOST_TASKS) return known;
  struct task *task = &tasks[task_count++];
  memset(task, 0, sizeof *task);
  task->pid = pid;
  return task;
}

static void resume(pid_t pid, int signal) { ptrace(PTRACE_SYSCALL, pid, 0, signal); }

// They never return, or the kernel knows no way in which they could fail.
static int never_fails(long call) {
  static const int calls[] = {SYS_exit,    SYS_exit_group, SYS_rt_sigreturn, SYS_getpid, SYS_getppid, SYS_gettid,
                              SYS_getuid,  SYS_geteuid,    SYS_getgid,       SYS_getegid, SYS_umask};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    if (calls[i] == call) return 1;
  }
  return 0;
}

static void at_entry(struct task *task) {
  const int index = (int)(task - tasks);
  const long call = ptrace(PTRACE_PEEKUSER, task->pid, sizeof(long) * ORIG_RAX, 0);
  task->failing = 0;
  if (call < 0 || call >= MOST_CALLS) return;
  if (line_count < MOST_LINES) {
    lines[line_count].task = (short)index;
    lines[line_count++].call = (short)call;
  }
  const int nth = ++task->seen[call];
  if (index != plan.task || call != plan.call || nth != plan.nth || never_fails(call)) return;
  task->failing = 1;
  if (call != SYS_close) ptrace(PTRACE_POKEUSER, task->pid, sizeof(long) * ORIG_RAX, -1L);
}

static void at_return(struct task *task) {
  if (!task->failing) return;
  task->failing = 0;
  hits++;
  ptrace(PTRACE_POKEUSER, task->pid, sizeof(long) * RAX, -(long)plan.number);
}

static void at_call(struct task *task) {
  task->inside = !task->inside;
  if (!task->started) return;
  task->inside ? at_entry(task) : at_return(task);
}

// The monitor's exec is where it begins; any other's is where it ends, and where nobody is to be traced any more.
static int at_exec(struct task *task) {
  if (task != &tasks[0] || task->started) return 1;
  task->started = 1;
  return 0;
}

static void at_birth(pid_t parent) {
  unsigned long child = 0;
  ptrace(PTRACE_GETEVENTMSG, parent, 0, &child);
  struct task *task = add_task((pid_t)child);
  if (task != NULL) task->started = 1;
}

static void at_stop(pid_t pid, int status) {
  struct task *task = task_of(pid);
  const int signal = WSTOPSIG(status);
  const int event = status >> 16;
  if (task == NULL) {  // a child whose birth its parent has not told of yet
    task = add_task(pid);
    if (task == NULL) die("too many tasks");
    task->started = 1;
    return resume(pid, 0);
  }
  if (event == PTRACE_EVENT_EXEC && at_exec(task)) {
    ptrace(PTRACE_DETACH, pid, 0, 0);
    return;
  }
  if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) at_birth(pid);
  if (signal == (SIGTRAP | 0x80)) at_call(task);
  const int ours = event != 0 || signal == SIGTRAP || signal == (SIGTRAP | 0x80);
  const int newborn = signal == SIGSTOP && !task->inside && task->seen[0] == 0 && task != &tasks[0];
  resume(pid, ours || newborn ? 0 : signal);
}

static pid_t start(char **argv) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  ptrace(PTRACE_TRACEME, 0, 0, 0);
  raise(SIGSTOP);
  execv(plan.program, argv);
  _exit(126);
}

static int trace(pid_t monitor) {
  int status;
  int ended = 1;
  if (waitpid(monitor, &status, 0) != monitor || !WIFSTOPPED(status)) return 125;
  const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                       PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  ptrace(PTRACE_SETOPTIONS, monitor, 0, options);
  add_task(monitor);
  resume(monitor, 0);
  for (;;) {
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) return ended;
    if (WIFSTOPPED(status)) {
      at_stop(pid, status);
    } else if (pid == monitor) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
}

int main(int argc, char **argv) {
  (void)argc;
  read_plan();
  const pid_t monitor = start(argv);
  if (monitor < 0) die("fork");
  close(3);  // the socket is the monitor's alone
  const int status = trace(monitor);
  write_journal();
  return status;
}
