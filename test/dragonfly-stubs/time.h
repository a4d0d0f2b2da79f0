#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 4
extern "C" {
int clock_gettime(clockid_t, struct timespec*);
int nanosleep(const struct timespec*, struct timespec*);
}
