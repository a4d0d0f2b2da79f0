#pragma once
// A stub for compiling only: see README.md.
#include <netinet/in.h>
extern "C" {
int inet_pton(int, const char*, void*);
}
