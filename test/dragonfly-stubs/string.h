#pragma once
// A stub for compiling only: see README.md.
#include <stddef.h>
extern "C" {
void* memcpy(void*, const void*, size_t);
void* memmove(void*, const void*, size_t);
void* memset(void*, int, size_t);
int memcmp(const void*, const void*, size_t);
size_t strlen(const char*);
size_t strnlen(const char*, size_t);
size_t strcspn(const char*, const char*);
size_t strspn(const char*, const char*);
size_t strlcpy(char*, const char*, size_t);
int strcmp(const char*, const char*);
int strncmp(const char*, const char*, size_t);
char* strdup(const char*);
char* strerror(int);
}
// As C++ has them: what is const stays const.
extern "C++" {
const char* strchr(const char*, int);
char* strchr(char*, int);
char* strrchr(const char*, int);
const char* strstr(const char*, const char*);
const char* strpbrk(const char*, const char*);
}
