#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../common/address.hh"
#include "../common/error.hh"

// TCP connections that no process has any more and that the kernel ends by itself. Each keeps the
// credentials of the jail that opened it, and so the jail, for as long as the protocol takes:
// TIME_WAIT about a minute, FIN_WAIT_2 longer.
namespace dfjail {

struct EndingConnection {
  Address local;
  Address remote;
  uint16_t local_port;
  uint16_t remote_port;
  const char* state;  // as netstat(1) calls it
};

// Calls visit(context, connection) for each, until it returns false.
bool each_ending_connection(bool (*visit)(void* context, const EndingConnection& connection),
                            void* context, Error* error);

// Has one of these addresses (separated by spaces) such a connection?
bool has_ending_connection(const char* addresses);

}  // namespace dfjail
