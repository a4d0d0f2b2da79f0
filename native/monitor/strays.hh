#pragma once

#include <stddef.h>
#include <sys/types.h>

namespace dfjail {

// Processes of ours that somebody in the jail traced when they ended: the kernel has made him their
// parent, and gives them back when he has waited for them. Nobody wants to know any more how they
// ended, but as zombies they would keep the jail.
class Strays {
 public:
  bool empty() const { return count_ == 0; }
  // When there are too many, the oldest is given up: it is reaped when the jail ends.
  void add(pid_t pid);
  // Somebody else has its number now: it is gone.
  void forget(pid_t pid);
  // Those that have come back. Never waits.
  void reap();

 private:
  static constexpr size_t kMost = 64;
  pid_t pids_[kMost] = {};
  size_t count_ = 0;
};

}  // namespace dfjail
