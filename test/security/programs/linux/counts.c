#include "calls.h"

#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>

/* ---- what the kernel counts for each user, and for whoever made the user's namespace */

enum { MOST_INSTANCES = 1 << 16, FILES = 4096, MOST_QUEUES = 1 << 12, SEGMENT = 1 << 20 };

static long instance(long n) {
  (void)n;
  return inotify_init1(IN_CLOEXEC);
}

/* Of one file after the other, by one instance after the other. */
static long watch(long n) {
  static int fd = -1;
  char path[64];
  if (n % FILES == 0) fd = inotify_init1(IN_CLOEXEC);
  if (fd < 0) return -1;
  snprintf(path, sizeof path, "/tmp/watched.%d.%ld", getpid(), n % FILES);
  if (n < FILES) close(open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0600));
  return inotify_add_watch(fd, path, IN_ATTRIB);
}

/* The kernel takes a queued signal aside for each. */
static long timer(long n) {
  (void)n;
  int id;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  return syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id);
}

static long queue(long n) {
  char name[64];
  struct mq_attr size = {.mq_maxmsg = 10, .mq_msgsize = 8192};
  snprintf(name, sizeof name, "taken.%d.%ld", getpid(), n);
  long fd = syscall(SYS_mq_open, name, O_CREAT | O_EXCL | O_RDWR, 0600, &size);
  if (fd >= 0) syscall(SYS_mq_unlink, name); /* it is counted until it is closed */
  return fd;
}

static long locked_memory(long n) {
  (void)n;
  int id = shmget(IPC_PRIVATE, SEGMENT, IPC_CREAT | 0600);
  if (id < 0) return -1;
  long result = shmctl(id, SHM_LOCK, NULL);
  int number = errno;
  if (result < 0 || shmat(id, NULL, 0) == (void*)-1) return shmctl(id, IPC_RMID, NULL), fail_with(number);
  return shmctl(id, IPC_RMID, NULL); /* it is locked until it is detached */
}

static const struct {
  const char* name;
  long (*take)(long n);
} counted[] = {{"inotify-instances", instance}, {"inotify-watches", watch}, {"queued-signals", timer},
               {"message-queues", queue},       {"locked-memory", locked_memory}};

/* WHAT MOST: takes as many as there are, says so, and holds them until stdin ends. */
static long use_up(char** args) {
  long n = 0, most = atol(args[1]), result = -1;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
    if (strcmp(counted[i].name, args[0]) != 0) continue;
    while (n < most && (result = counted[i].take(n)) >= 0) n++;
  }
  int number = result < 0 ? errno : 0;
  printf("got %ld\n", n);
  fflush(stdout);
  char byte;
  while (most > 1 && read(0, &byte, 1) > 0) {
  }
  return number == 0 ? 0 : fail_with(number);
}

const struct attempt count_attempts[] = {{"use-up", use_up}, {NULL, NULL}};
