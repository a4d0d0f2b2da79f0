#pragma once
// A stub for compiling only: see README.md.
#include <netinet/in.h>
struct in_addr_4in6 {
  uint32_t ia46_pad32[3];
  struct in_addr ia46_addr4;
};
union in_dependaddr {
  struct in_addr_4in6 id46_addr;
  struct in6_addr id6_addr;
};
struct in_endpoints {
  uint16_t ie_fport;
  uint16_t ie_lport;
  union in_dependaddr ie_dependfaddr;
  union in_dependaddr ie_dependladdr;
};
struct in_conninfo {
  uint8_t inc_flags;
  uint8_t inc_len;
  uint16_t inc_pad;
  struct in_endpoints inc_ie;
  uint64_t stub[5];
};
struct inpcb {
  uint64_t stub_lists[4];
  uint32_t inp_flow;
  int inp_lgrpindex;
  struct in_conninfo inp_inc;
  uint64_t stub_pointers[5];
  unsigned char inp_af;
  unsigned char stub[127];
};
