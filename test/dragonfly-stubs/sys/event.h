#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
struct kevent {
  uintptr_t ident;
  short filter;
  u_short flags;
  u_int fflags;
  intptr_t data;
  void* udata;
};
#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_PROC (-5)
#define EVFILT_SIGNAL (-6)
#define EVFILT_TIMER (-7)
#define EVFILT_USER (-9)
#define EV_ADD 0x1
#define EV_DELETE 0x2
#define NOTE_EXIT 0x80000000U
#define NOTE_TRIGGER 0x01000000U
#define EV_SET(event, a, b, c, d, e, f) (*(event) = {(a), (b), (c), (d), (e), (f)})
extern "C" {
int kqueue();
int kevent(int, const struct kevent*, int, struct kevent*, int, const struct timespec*);
}
