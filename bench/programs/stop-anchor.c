// The least that ending a jail takes: kills its pid 1, waits until that is gone and with it
// everything inside, and deletes the host's end of the veth pair if there is one. For each line
// "PID LINK" ("-": none) on stdin it answers how many microseconds that took.
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "delete-link.h"

int main(void) {
  const int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  char line[128], link[32];
  int pid;
  while (fgets(line, sizeof line, stdin) != NULL) {
    struct timespec from, to;
    if (sscanf(line, "%d %31s", &pid, link) != 2) return 2;
    const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd gone = {pidfd, POLLIN, 0};
    clock_gettime(CLOCK_MONOTONIC, &from);
    syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    poll(&gone, 1, -1);
    if (link[0] != '-') delete_link(netlink, link);
    clock_gettime(CLOCK_MONOTONIC, &to);
    close(pidfd);
    printf("%.3f\n",
           (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3);
    fflush(stdout);
  }
  return 0;
}
