#pragma once
// A stub for compiling only: see README.md.
#include <fcntl.h>
#define LOCK_SH 0x01
#define LOCK_NB 0x04
