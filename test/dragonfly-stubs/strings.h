#pragma once
// A stub for compiling only: see README.md.
#include <stddef.h>
extern "C" {
void explicit_bzero(void*, size_t);
int strcasecmp(const char*, const char*);
}
