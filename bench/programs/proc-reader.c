// Reads of each process what the package tells of it: /proc/PID/stat, status and cmdline. For each
// line on stdin ("*": the whole host, else pids separated by blanks) it answers with one line: how
// many processes, and in how many microseconds.
//
// "!" is the least for the whole host: the owner of the folder stands for the status, and there is a
// thread for each processor.
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_THREADS = 4, MOST_PROCESSES = 32768 };

static _Thread_local char text[65536];
static _Thread_local volatile unsigned long sum;

static int read_file(const char *pid, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = read(fd, text, sizeof text);
  close(fd);
  if (n < 0) return 0;
  for (ssize_t i = 0; i < n; i++) sum += (unsigned char)text[i] == ' ';  // somebody looks at it
  return 1;
}

static int read_process(const char *pid) {
  return read_file(pid, "stat") && read_file(pid, "status") && read_file(pid, "cmdline");
}

static int read_host(void) {
  int count = 0;
  DIR *dir = opendir("/proc");
  for (struct dirent *item; dir != NULL && (item = readdir(dir)) != NULL;) {
    if (item->d_name[0] >= '1' && item->d_name[0] <= '9') count += read_process(item->d_name);
  }
  if (dir != NULL) closedir(dir);
  return count;
}

static char names[MOST_PROCESSES][12];
static int names_count, threads;

static int read_least(const char *pid) {
  struct stat info;
  char path[32];
  snprintf(path, sizeof path, "/proc/%s", pid);
  return read_file(pid, "stat") && stat(path, &info) == 0 && read_file(pid, "cmdline");
}

// Nobody gets only those that take long.
static void *read_share(void *first) {
  long count = 0;
  for (int i = (int)(long)first; i < names_count; i += threads) count += read_least(names[i]);
  return (void *)count;
}

static int read_host_by_threads(void) {
  pthread_t others[MOST_THREADS];
  void *counted;
  names_count = 0;
  DIR *dir = opendir("/proc");
  for (struct dirent *item; dir != NULL && (item = readdir(dir)) != NULL;) {
    if (item->d_name[0] < '1' || item->d_name[0] > '9' || names_count == MOST_PROCESSES) continue;
    snprintf(names[names_count++], sizeof names[0], "%.11s", item->d_name);
  }
  if (dir != NULL) closedir(dir);
  for (long i = 1; i < threads; i++) {
    if (pthread_create(&others[i], NULL, read_share, (void *)i) != 0) abort();
  }
  long count = (long)read_share(NULL);
  for (int i = 1; i < threads; i++) {
    pthread_join(others[i], &counted);
    count += (long)counted;
  }
  return (int)count;
}

static int read_some(char *pids) {
  int count = 0;
  for (char *pid = strtok(pids, " \n"); pid != NULL; pid = strtok(NULL, " \n"))
    count += read_process(pid);
  return count;
}

static int answer(char *line) {
  if (line[0] == '*') return read_host();
  return line[0] == '!' ? read_host_by_threads() : read_some(line);
}

int main(void) {
  static char line[65536];
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  threads = processors < 1 ? 1 : processors > MOST_THREADS ? MOST_THREADS : (int)processors;
  while (fgets(line, sizeof line, stdin) != NULL) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    int count = answer(line);
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%d %.3f\n", count,
           (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3);
    fflush(stdout);
  }
  return 0;
}
