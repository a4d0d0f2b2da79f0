#pragma once

#include <string>

#include "../common/error.hh"

namespace dfjail {

// What a monitor is started from.
struct MonitorProgram {
  std::string path;     // for execve(2) in the child
  int descriptor = -1;  // the child has it by the number kProgramDescriptor, unless it is -1
  bool known = false;   // it was made for an earlier monitor
};

constexpr int kProgramDescriptor = 4;

// The program of that file. Where a jail could get hold of the file itself, which is the host's, it
// is a copy, made once for all monitors of this process. `anew`: the one before could not be run.
bool find_monitor_program(const char* file, bool anew, MonitorProgram* program, Error* error);

}  // namespace dfjail
