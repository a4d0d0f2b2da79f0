#pragma once
// A stub for compiling only: see README.md.
#include <sys/resource.h>
#include <sys/types.h>
enum idtype { P_PID = 0, P_JAILID = 12 };
#define WNOHANG 1
#define STUB_STATUS(x) ((x) & 0177)
#define WIFEXITED(x) (STUB_STATUS(x) == 0)
#define WEXITSTATUS(x) ((x) >> 8)
#define WIFSTOPPED(status) (((status) & 0177) == 0177)
#define WSTOPSIG(status) ((status) >> 8)
#define WIFSIGNALED(x) (STUB_STATUS(x) != 0177 && STUB_STATUS(x) != 0)
#define WTERMSIG(x) (STUB_STATUS(x))
extern "C" {
pid_t waitpid(pid_t, int*, int);
pid_t wait4(pid_t, int*, int, struct rusage*);
}
