#pragma once

#include <sys/types.h>

#include <sys/param.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <netinet/in.h>

// What the kernel's list of TCP connections is made of. These headers have no guard for C++ (5.9).
extern "C" {
#include <sys/socketvar.h>

#include <netinet/in_systm.h>
#include <netinet/ip.h>

#include <netinet/in_pcb.h>

#include <netinet/tcp.h>

#include <netinet/tcp_fsm.h>

#include <netinet/tcp_timer.h>

#include <netinet/tcp_var.h>
}
