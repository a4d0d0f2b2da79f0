#pragma once

#include "../common/error.hh"

// What a process that the monitor has forked says by a pipe, and what the monitor says to it.
namespace dfjail {

// One byte: it is as far as it was to get. An Error: it failed. The end: it is gone, or has become
// another program.
enum class Word { kReady, kFailed, kEnded };

// `step` is what is said to have failed where it cannot be heard.
Word hear(int report, const char* step, Error* error);
bool say_ready(int report);
// The strings in it are at the same place in both processes.
[[noreturn]] void say_failed(int report, const Error& error);

// The other way: the process may go on. False and errno; EPIPE: it is gone, and hear() tells why.
bool say_go(int gate);
// False: errno is ECANCELED when the monitor is gone or gave up.
bool wait_for_go(int gate);

}  // namespace dfjail
