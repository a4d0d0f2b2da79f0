#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <unordered_map>
#include <vector>

#include "node_api.hh"

namespace dfjail {

// What belongs to one environment: the main thread or a worker, each with its own copy of the
// module.
struct State {
  std::vector<pid_t> monitors;                 // started here and not yet reaped
  std::unordered_map<int, struct stat> given;  // pipes and sockets by descriptor, see give()

  static State* of(Napi::Env env) { return env.GetInstanceData<State>(); }

  // A pipe or socket that is JavaScript's from here on. Where a worker is terminated before it has
  // put it into a stream, nobody else would ever close it, and at the other end a monitor would
  // wait for that.
  void give(int fd);
  // JavaScript has closed it.
  void forget(int fd) { given.erase(fd); }
  // Closes what is still open and still what was given: by then Node has closed its streams, and
  // the numbers may be somebody else's.
  void close_forgotten();
};

// Makes the state. When the environment ends, its descriptors are closed and its monitors are
// handed to the reaper.
void create_state(Napi::Env env);

}  // namespace dfjail
