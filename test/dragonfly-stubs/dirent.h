#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
struct dirent {
  ino_t d_fileno;
  uint16_t d_namlen;
  uint8_t d_type;
  uint8_t d_unused1;
  uint32_t d_unused2;
  char d_name[256];
};
struct DIR;
extern "C" {
DIR* opendir(const char*);
DIR* fdopendir(int);
struct dirent* readdir(DIR*);
int closedir(DIR*);
}
