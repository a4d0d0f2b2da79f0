#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "../monitor/backend.hh"
#include "terminal.hh"

namespace dfjail {
namespace {

// Not to become our controlling terminal. A close that does not wait drops what nobody has read.
constexpr int kHow = O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

}  // namespace

UniqueFd hold_terminal(int terminal) {
  const char* name = ttyname(terminal);
  return name == nullptr ? UniqueFd() : UniqueFd(open(name, kHow));
}

void drop_output(dev_t terminal) {
  char path[64];
  const char* name = devname(terminal, S_IFCHR);
  if (name == nullptr || strchr(name, '?') != nullptr) return;
  snprintf(path, sizeof path, "/dev/%s", name);
  const UniqueFd fd(open(path, kHow));
  struct stat info;
  if (!fd || fstat(fd.get(), &info) < 0 || info.st_rdev != terminal) return;
  int what = FWRITE;
  ioctl(fd.get(), TIOCFLUSH, &what);
}

}  // namespace dfjail
