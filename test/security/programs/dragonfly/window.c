#include "../attempt.h"

#include <signal.h>
#include <sys/param.h>
#include <sys/kinfo.h>
#include <sys/ptrace.h>
#include <sys/sysctl.h>
#include <sys/wait.h>

/* Between its birth in the jail and its exec a command is a piece of the monitor that can be seen, stopped and traced
 * inside. Whatever lies in its memory then can be read; so there must be nothing. */

static struct robbery {
  const char* secret; /* what another command was given, and nobody else */
  long seen, stopped, memory;
} window;

enum { MOST = 4096, PIECE = 65536 };

/* The processes in sight that are on their way: `of` is how they are called then. */
static int processes_called(const char* name, int* pids, int most) {
  static struct kinfo_proc list[MOST];
  int mib[] = {CTL_KERN, KERN_PROC, KERN_PROC_ALL};
  size_t size = sizeof list;
  int count = 0;
  if (sysctl(mib, 3, list, &size, NULL, 0) < 0) return 0;
  for (size_t i = 0; i < size / sizeof *list && count < most; i++) {
    if (strncmp(list[i].kp_comm, name, sizeof list[i].kp_comm) == 0) pids[count++] = list[i].kp_pid;
  }
  return count;
}

/* All that is mapped, by procfs where there is one, else the data and the stack that such a program has. */
static int memory_has(int pid, const char* secret) {
  static char piece[PIECE + 256];
  char path[64], line[512];
  unsigned long from, to;
  int found = 0;
  snprintf(path, sizeof path, "/proc/%d/map", pid);
  FILE* map = fopen(path, "r");
  if (map == NULL) return 0;
  while (!found && fgets(line, sizeof line, map) != NULL) {
    if (sscanf(line, "0x%lx 0x%lx", &from, &to) != 2) continue;
    for (; from < to && !found; from += PIECE) {
      size_t size = to - from < PIECE ? to - from : PIECE;
      struct ptrace_io_desc request = {PIOD_READ_D, (void*)from, piece, size};
      if (ptrace(PT_IO, pid, (caddr_t)&request, 0) == 0)
        found = memmem(piece, request.piod_len, secret, strlen(secret)) != NULL;
    }
  }
  fclose(map);
  return found;
}

static void rob(int pid) {
  window.seen++;
  if (ptrace(PT_ATTACH, pid, NULL, 0) < 0) return;
  if (waitpid(pid, NULL, 0) == pid) {
    window.stopped++;
    window.memory += memory_has(pid, window.secret);
  }
  ptrace(PT_DETACH, pid, (caddr_t)1, 0);
}

static void report(void) {
  printf("{\"seen\":%ld,\"stopped\":%ld,\"memory\":%ld}\n", window.seen, window.stopped, window.memory);
}

/* SECONDS SECRET */
static long attack_window(char** args) {
  double end = now() + atof(args[0]);
  int pids[64];
  window.secret = args[1];
  printf("attacking\n");
  fflush(stdout);
  while (now() < end) {
    int count = processes_called("jail-monitor", pids, 64);
    for (int i = 0; i < count; i++) rob(pids[i]);
  }
  report();
  return 0;
}

/* PID SECRET: the control: the same robber, and a process that nothing protects. */
static long rob_process(char** args) {
  window.secret = args[1];
  rob(atoi(args[0]));
  report();
  return 0;
}

const struct attempt dragonfly_window_attempts[] = {
    {"attack-window", attack_window}, {"rob", rob_process}, {NULL, NULL}};
