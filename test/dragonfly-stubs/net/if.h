#pragma once
// A stub for compiling only: see README.md.
#include <sys/ioctl.h>
#include <sys/socket.h>
#define IFNAMSIZ 16
struct ifreq {
  char ifr_name[IFNAMSIZ];
  struct sockaddr ifr_addr;
};
struct ifaliasreq {
  char ifra_name[IFNAMSIZ];
  struct sockaddr ifra_addr;
  struct sockaddr ifra_broadaddr;
  struct sockaddr ifra_mask;
};
#define SIOCAIFADDR _IOW('i', 26, struct ifaliasreq)
#define SIOCDIFADDR _IOW('i', 25, struct ifreq)
extern "C" {
unsigned int if_nametoindex(const char*);
}
