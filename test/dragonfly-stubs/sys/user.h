#pragma once
// A stub for compiling only: see README.md.
#include <sys/kinfo.h>
