#pragma once

#include <vector>

#include "../linux/processes.hh"

namespace dfjail {

// Some processes, with their arguments.
struct ProcessBatch {
  std::vector<Process> processes;
  std::vector<char> arguments;  // of all, one after the other, by `arguments_size` of each

  void add(const Process& process);
};

// Every process of the host. What takes the time is the kernel, and it tells of several processes
// at once: long lists are read by several threads.
std::vector<ProcessBatch> read_host();

}  // namespace dfjail
