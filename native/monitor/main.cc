// jail-monitor: started by the dragonfly-jail package with a connected UNIX socket as descriptor 3,
// and by nobody else.
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend.hh"

namespace dfjail {
int run_monitor(int fd);
}

namespace {

constexpr int kSocket = 3;

bool is_socket(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
}

// A persistent jail's monitor outlives the program that started it: it must not hold that one's
// terminal or pipes.
bool let_go_of_stdio() {
  const int null = open("/dev/null", O_RDWR);
  if (null < 0) return false;
  for (int fd = 0; fd < kSocket; fd++) {
    if (dup2(null, fd) < 0) return false;
  }
  return null < kSocket || close(null) == 0;
}

}  // namespace

int main() {
  if (!is_socket(kSocket)) {
    fputs(
        "jail-monitor is part of the dragonfly-jail package and is started by it; see "
        "docs/monitor-protocol.md\n",
        stderr);
    return 2;
  }
  dfjail::begin_monitor();
  setsid();  // where posix_spawn has not done it: the terminal's ^C is not for us
  if (chdir("/") < 0 || !let_go_of_stdio()) return 1;
  if (fcntl(kSocket, F_SETFD, FD_CLOEXEC) < 0) return 1;
  return dfjail::run_monitor(kSocket);
}
