#pragma once
// A stub for compiling only: see README.md.
#include <stddef.h>
#include <sys/types.h>
extern "C" {
void* malloc(size_t);
void* calloc(size_t, size_t);
void* realloc(void*, size_t);
void free(void*);
[[noreturn]] void abort();
int atoi(const char*);
unsigned long strtoul(const char*, char**, int);
unsigned long long strtoull(const char*, char**, int);
long long strtoll(const char*, char**, int);
char* realpath(const char*, char*);
int posix_openpt(int);
int grantpt(int);
int unlockpt(int);
char* ptsname(int);
char* mkdtemp(char*);
char* devname(dev_t, mode_t);
}
