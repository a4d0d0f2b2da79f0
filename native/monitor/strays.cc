#include "strays.hh"

#include <string.h>
#include <sys/wait.h>

namespace dfjail {

void Strays::add(pid_t pid) {
  if (count_ == kMost) memmove(pids_, pids_ + 1, --count_ * sizeof pids_[0]);
  pids_[count_++] = pid;
}

void Strays::forget(pid_t pid) {
  for (size_t i = 0; i < count_; i++) {
    if (pids_[i] != pid) continue;
    pids_[i] = pids_[--count_];
    return;
  }
}

void Strays::reap() {
  for (size_t i = 0; i < count_;) {
    const bool is_reaped = waitpid(pids_[i], nullptr, WNOHANG) == pids_[i];
    if (is_reaped) pids_[i] = pids_[--count_];
    if (!is_reaped) i++;
  }
}

}  // namespace dfjail
