// Reads of each process what the package tells of it: /proc/PID/stat, status and cmdline. For each
// line on stdin ("*": the whole host, else pids separated by blanks) it answers with one line: how
// many processes, and in how many microseconds.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char text[65536];
static volatile unsigned long sum;

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

static int read_some(char *pids) {
  int count = 0;
  for (char *pid = strtok(pids, " \n"); pid != NULL; pid = strtok(NULL, " \n"))
    count += read_process(pid);
  return count;
}

int main(void) {
  static char line[65536];
  while (fgets(line, sizeof line, stdin) != NULL) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    int count = line[0] == '*' ? read_host() : read_some(line);
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%d %.3f\n", count,
           (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3);
    fflush(stdout);
  }
  return 0;
}
