// A terminal, for where there is no tmux: runs `terminal COLUMNS ROWS PROGRAM ARGUMENTS…` on one of its own and passes on
// what it writes to stdout, and what comes from stdin to it. On descriptor 3 lines "COLUMNS ROWS" change the window.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#ifdef __linux__
#include <pty.h>
#include <utmp.h>
#else
#include <sys/types.h>
#include <libutil.h>
#endif

enum { SIZES = 3 };

static void die(const char *what) {
  perror(what);
  exit(125);
}

static void resize(int master, const char *text) {
  struct winsize size;
  unsigned columns, rows;
  memset(&size, 0, sizeof size);
  if (sscanf(text, "%u %u", &columns, &rows) != 2) return;
  size.ws_col = (unsigned short)columns;
  size.ws_row = (unsigned short)rows;
  ioctl(master, TIOCSWINSZ, &size);
}

static void write_all(int fd, const char *bytes, ssize_t size) {
  while (size > 0) {
    const ssize_t n = write(fd, bytes, (size_t)size);
    if (n < 0 && errno != EINTR && errno != EAGAIN) return;
    if (n > 0) bytes += n, size -= n;
  }
}

// 0: there is no more.
static int pass_on(int from, int to) {
  char bytes[4096];
  const ssize_t n = read(from, bytes, sizeof bytes);
  if (n <= 0) return 0;
  write_all(to, bytes, n);
  return 1;
}

static void take_sizes(int master, struct pollfd *from) {
  char text[64];
  const ssize_t n = read(from->fd, text, sizeof text - 1);
  if (n <= 0) {
    from->fd = -1;
    return;
  }
  text[n] = '\0';
  resize(master, text);
}

// Until the program has hung up, or whoever holds the terminal has let go: then its master is closed.
static void relay(int master) {
  struct pollfd ends[] = {{master, POLLIN, 0}, {0, POLLIN, 0}, {SIZES, POLLIN, 0}};
  while (poll(ends, 3, -1) >= 0 || errno == EINTR) {
    if (ends[0].revents != 0 && !pass_on(master, 1)) return;
    if (ends[1].revents != 0 && !pass_on(0, master)) return;
    if (ends[2].revents != 0) take_sizes(master, &ends[2]);
  }
}

int main(int argc, char **argv) {
  struct winsize size;
  int master;
  if (argc < 4) return 64;
  memset(&size, 0, sizeof size);
  size.ws_col = (unsigned short)atoi(argv[1]);
  size.ws_row = (unsigned short)atoi(argv[2]);
  const pid_t pid = forkpty(&master, NULL, NULL, &size);
  if (pid < 0) die("forkpty");
  if (pid == 0) {
    close(SIZES);
    execvp(argv[3], argv + 3);
    die(argv[3]);
  }
  signal(SIGPIPE, SIG_IGN);
  relay(master);
  close(master);
  return waitpid(pid, NULL, 0) < 0;
}
