#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
struct ifaddrs {
  struct ifaddrs* ifa_next;
  char* ifa_name;
  u_int ifa_flags;
  struct sockaddr* ifa_addr;
  struct sockaddr* ifa_netmask;
  struct sockaddr* ifa_dstaddr;
  void* ifa_data;
  u_int ifa_addrflags;
};
extern "C" {
int getifaddrs(struct ifaddrs**);
void freeifaddrs(struct ifaddrs*);
}
