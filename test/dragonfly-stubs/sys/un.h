#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
struct sockaddr_un {
  unsigned char sun_len;
  sa_family_t sun_family;
  char sun_path[104];
};
