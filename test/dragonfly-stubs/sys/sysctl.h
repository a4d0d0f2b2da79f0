#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
#define CTL_KERN 1
#define KERN_PROC 14
#define KERN_PROC_ALL 0
#define KERN_PROC_PID 1
#define KERN_PROC_PGRP 2
#define KERN_PROC_SESSION 3
#define KERN_PROC_TTY 4
#define KERN_PROC_UID 5
#define KERN_PROC_RUID 6
#define KERN_PROC_ARGS 7
#define KERN_PROC_CWD 8
#define KERN_PROC_PATHNAME 9
#define KERN_PROC_FLAG_LWP 16
#define KERN_HOSTNAME 10
#define CTL_MAXNAME 12
#define CTLFLAG_RD 0x80000000
#define CTLFLAG_WR 0x40000000
#define CTLFLAG_ANYBODY 0x10000000
#define CTLFLAG_PRISON 0x4000000
#define CTLTYPE_NODE 1
#define CTLTYPE_INT 2
#define CTLTYPE_STRING 3
extern "C" {
int sysctl(int*, u_int, void*, size_t*, void*, size_t);
}
