#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
#define PT_CONTINUE 7
#define PT_ATTACH 10
typedef char* caddr_t;
extern "C" {
int ptrace(int, pid_t, caddr_t, int);
}
