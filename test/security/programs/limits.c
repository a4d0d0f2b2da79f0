#include "attempt.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* As many as there can be, at most MAX; how many came. */
static long exhaust_processes(char** args) {
  int max = atoi(args[0]), n = 0, number = 0;
  int gate[2];
  if (pipe(gate) < 0) return -1;
  for (; n < max; n++) {
    pid_t pid = fork();
    if (pid < 0) number = errno;
    if (pid < 0) break;
    if (pid > 0) continue;
    char byte;
    close(gate[1]);
    _exit(read(gate[0], &byte, 1) < 0);
  }
  close(gate[1]);
  while (wait(NULL) > 0) {
  }
  printf("got %d\n", n);
  return number == 0 ? 0 : fail_with(number);
}

static long exhaust_descriptors(char** args) {
  int max = atoi(args[0]), n = 0;
  while (n < max && dup(0) >= 0) n++;
  int number = errno;
  if (n == max) number = 0;
  printf("got %d\n", n);
  return number == 0 ? 0 : fail_with(number);
}

/* MEGABYTES, each one written to. */
static long exhaust_memory(char** args) {
  long max = atol(args[0]);
  const size_t size = 1 << 20;
  for (long n = 0; n < max; n++) {
    char* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return -1;
    memset(memory, 1, size);
  }
  return 0;
}

/* FOLDER MAX: empty files in it, which are removed again. */
static long exhaust_files(char** args) {
  char name[64];
  int max = atoi(args[1]), n = 0;
  if (chdir(args[0]) < 0) return -1;
  for (; n < max; n++) {
    snprintf(name, sizeof name, "dfjail-file-%d", n);
    int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (fd < 0) break;
    close(fd);
  }
  int number = n == max ? 0 : errno;
  printf("got %d\n", n);
  for (int i = 0; i < n; i++) {
    snprintf(name, sizeof name, "dfjail-file-%d", i);
    unlink(name);
  }
  return number == 0 ? 0 : fail_with(number);
}

/* MAX */
static long exhaust_terminals(char** args) {
  int max = atoi(args[0]), n = 0;
  while (n < max && open("/dev/ptmx", O_RDWR | O_NOCTTY) >= 0) n++;
  int number = n == max ? 0 : errno;
  printf("got %d\n", n);
  return number == 0 ? 0 : fail_with(number);
}

/* Never ends by itself: everybody makes another one. */
static long fork_without_end(char** args) {
  (void)args;
  signal(SIGTERM, SIG_IGN);
  signal(SIGCHLD, SIG_IGN);
  while (1) {
    if (fork() < 0) usleep(1000);
  }
  return 0;
}

const struct attempt limit_attempts[] = {{"exhaust-processes", exhaust_processes},
                                         {"exhaust-descriptors", exhaust_descriptors},
                                         {"exhaust-memory", exhaust_memory},
                                         {"exhaust-files", exhaust_files},
                                         {"exhaust-terminals", exhaust_terminals},
                                         {"fork-without-end", fork_without_end},
                                         {NULL, NULL}};
