#pragma once
// A stub for compiling only: see README.md.
struct pollfd {
  int fd;
  short events;
  short revents;
};
#define POLLIN 1
#define POLLOUT 4
extern "C" {
int poll(struct pollfd*, unsigned int, int);
}
