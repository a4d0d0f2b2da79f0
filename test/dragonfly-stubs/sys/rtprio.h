#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
#define RTP_PRIO_IDLE 2
#define RTP_SET 1
struct rtprio {
  unsigned short type;
  unsigned short prio;
};
extern "C" int rtprio(int, pid_t, struct rtprio*);
