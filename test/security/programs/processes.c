#include "attempt.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static long signal_process(char** args) { return kill(atoi(args[0]), atoi(args[1])); }

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
  allow_tracing();
  printf("victim %d %p\n", (int)getpid(), (void*)mark);
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  return 0;
}

const struct attempt process_attempts[] = {{"kill", signal_process},
                                           {"change-priority", change_priority},
                                           {"count-reachable", count_reachable},
                                           {"victim", victim},
                                           {NULL, NULL}};
