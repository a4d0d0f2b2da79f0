#pragma once
// A stub for compiling only: see README.md.
#include <sys/ioccom.h>
#define TIOCSCTTY _IO('t', 97)
#define TIOCFLUSH _IOW('t', 16, int)
extern "C" {
int ioctl(int, unsigned long, ...);
}
