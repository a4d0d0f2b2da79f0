#pragma once

#include <stdint.h>

namespace dfjail {

// Something that the loop waits for. `ready` is called when its descriptor can be read or has ended
// (or, where asked for, written). A source lives inside the thing that it stands for.
struct Source {
  int fd = -1;
  void* monitor = nullptr;  // who is called
  void* thing = nullptr;    // about what: a connection, a command
  void (*ready)(void* monitor, void* thing, bool readable, bool writable) = nullptr;
};

// What errors of watch() name.
#ifdef __linux__
constexpr const char* kWatch = "epoll_ctl";
#else
constexpr const char* kWatch = "kevent";
#endif

// Waits for descriptors: epoll here, kqueue there. One for the whole monitor.
class Loop {
 public:
  bool open();
  bool watch(Source* source);
  // False: as before.
  bool want_write(Source* source, bool wanted);
  // To be called before the descriptor is closed. Events of this turn that were not yet delivered
  // are dropped.
  void forget(Source* source);
  // Delivers what is there; waits at most so many microseconds, -1: for ever.
  void turn(int timeout);

 private:
  static constexpr int kBatch = 64;
  int fd_ = -1;
  Source* batch_[kBatch] = {};
  int batch_size_ = 0;
};

}  // namespace dfjail
