#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
#define MAXHOSTNAMELEN 256
#define MAXPATHLEN 1024
#define MAXCOMLEN 16
#define NGROUPS 16
#define MAXLOGNAME 33
#define __DragonFly_version 0x7a4a5
