#pragma once

#include <stdint.h>
#include <time.h>

#include "backend.hh"
#include "loop.hh"
#include "spec.hh"

namespace dfjail {

// A command from SPAWN until it has been reaped.
struct Command {
  Command* next = nullptr;
  uint32_t id = 0;
  uint32_t request = 0;
  uint32_t audience = 0;      // connections that are told of its end, one bit each
  uint32_t asker = 0;         // the bit of the one that spawned it
  bool watched = false;       // its exec is waited for
  bool running = false;       // SPAWNED was sent
  bool failed = false;        // FAILED was sent: nobody waits for it
  bool ended = false;         // but not reaped
  bool status_known = false;  // by the event of its end
  int status = 0;
  int queued_signal = 0;  // to be delivered when it runs
  pid_t jail_pid = 0;
  uint64_t started_us = 0;  // since 1970
  timespec started_at = {};
  Started started;
  Source launch_source;
  Source exit_source;
  unsigned char* frame = nullptr;  // what `spec` points into
  size_t frame_size = 0;
  CommandSpec spec;
  Identity identity;
  char variables[5][1100];                        // what login adds to env
  ClassEnvironment* class_environment = nullptr;  // and a login class
  int descriptors[kMaxStdio];
};

// With a copy of the payload, which `decode` then reads. Null without memory.
Command* new_command(const unsigned char* payload, size_t size);
// False when it is not exactly one command.
bool decode(Command* command);
void free_command(Command* command);
// Zeroes what only its own process may see: arguments, environment, identity.
void wipe_command(Command* command);
// HOME, SHELL, USER, LOGNAME and TERM, as jail(8) -l, and what the login class says where there are
// such; the home directory as working directory unless one was given. What was asked for stays.
bool apply_login(const Jail& jail, Command* command, Error* error);
// Gives the memory back that only the launch needed; what adoption shows (file, argv) stays.
void close_descriptors(Command* command);

// A wait status that no process ends with: it is not known.
constexpr int kUnknownStatus = 0x7f;

struct Ending {
  int status = 0;
  uint64_t user_us = 0;
  uint64_t system_us = 0;
  uint64_t max_rss = 0;
  uint64_t wall_us = 0;
};

uint64_t microseconds_since(const timespec& then);

enum class Reaped {
  kYes,
  kNotYet,  // it can be reaped later
  kTaken,   // somebody traces it and is its parent now; it may be given back
};

// Reaps a command that has ended and says how it went. Never waits. Of one that was taken away only
// the status is known, where the kernel told it (`status_known`), and what it used is not.
Reaped reap_command(Command* command, Ending* ending);

}  // namespace dfjail
