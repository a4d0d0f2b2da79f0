#pragma once
// A stub for compiling only: see README.md.
#include <stdarg.h>
#include <stddef.h>
struct FILE;
extern FILE* stdout;
extern FILE* stderr;
extern "C" {
int printf(const char*, ...) __attribute__((format(printf, 1, 2)));
int fprintf(FILE*, const char*, ...) __attribute__((format(printf, 2, 3)));
int rename(const char*, const char*);
int snprintf(char*, size_t, const char*, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char*, size_t, const char*, va_list);
int sscanf(const char*, const char*, ...) __attribute__((format(scanf, 2, 3)));
int dprintf(int, const char*, ...) __attribute__((format(printf, 2, 3)));
int fputs(const char*, FILE*);
int fflush(FILE*);
}
