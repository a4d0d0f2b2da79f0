// The least that ending a jail takes where a process of its own holds it: told "PID LINK FOLDER" by
// one line on the socket 3, it kills that pid 1, waits until it is gone, deletes the host's end of
// the veth pair if there is one ("-": none), removes the folder of the registry with its entry,
// answers a byte and ends.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "delete-link.h"

int main(void) {
  char line[512], link[16], folder[256], entry[300];
  int pid;
  const int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  const ssize_t n = recv(3, line, sizeof line - 1, 0);
  if (n <= 0) return 1;
  line[n] = '\0';
  if (sscanf(line, "%d %15s %255s", &pid, link, folder) != 3) return 2;
  const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  struct pollfd gone = {pidfd, POLLIN, 0};
  syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
  poll(&gone, 1, -1);
  if (link[0] != '-') delete_link(netlink, link);
  snprintf(entry, sizeof entry, "%s/entry", folder);
  unlink(entry);
  rmdir(folder);
  return send(3, "x", 1, MSG_NOSIGNAL) == 1 ? 0 : 3;
}
