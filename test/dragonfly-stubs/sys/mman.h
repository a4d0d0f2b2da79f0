#pragma once
// A stub for compiling only: see ../README.md.
#include <sys/types.h>

#define PROT_READ 0x01
#define PROT_WRITE 0x02
#define MAP_SHARED 0x0001
#define MAP_ANON 0x1000
#define MAP_FAILED ((void*)-1)

extern "C" {
void* mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset);
int munmap(void* address, size_t length);
}
