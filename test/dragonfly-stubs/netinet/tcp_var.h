#pragma once
// A stub for compiling only: see README.md.
#include <netinet/in_pcb.h>
struct tcpcb {
  char stub_before[104];
  int t_state;
  char stub_behind[516];
};
struct xtcpcb {
  size_t xt_len;
  struct inpcb xt_inp;
  struct tcpcb xt_tp;
  char stub_socket[176];
};
