#pragma once
// A stub for compiling only: see README.md.
#include <net/if.h>
#include <netinet/in.h>
struct in6_addrlifetime {
  time_t ia6t_expire;
  time_t ia6t_preferred;
  uint32_t ia6t_vltime;
  uint32_t ia6t_pltime;
};
struct in6_aliasreq {
  char ifra_name[IFNAMSIZ];
  struct sockaddr_in6 ifra_addr;
  struct sockaddr_in6 ifra_dstaddr;
  struct sockaddr_in6 ifra_prefixmask;
  int ifra_flags;
  struct in6_addrlifetime ifra_lifetime;
};
struct in6_ifreq {
  char ifr_name[IFNAMSIZ];
  union {
    struct sockaddr_in6 ifru_addr;
    uint64_t stub[34];
  } ifr_ifru;
};
#define IN6_IFF_NODAD 0x20
#define SIOCAIFADDR_IN6 _IOW('i', 26, struct in6_aliasreq)
#define SIOCDIFADDR_IN6 _IOW('i', 25, struct in6_ifreq)
