#pragma once

#include <sys/types.h>

#include <sys/param.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/ucred.h>

#include <net/if.h>

// The system's header has no guard for C++ (5.9). What it includes is included above, outside of
// the block.
extern "C" {
#include <sys/jail.h>
}
