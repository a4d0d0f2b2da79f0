#pragma once

#include <pthread.h>

#include <deque>
#include <mutex>
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
// at once: long lists are read by several threads, from when their beginning is known, while
// whoever asks makes use of what is there.
class HostReader {
 public:
  HostReader();
  HostReader(const HostReader&) = delete;
  HostReader& operator=(const HostReader&) = delete;
  ~HostReader();
  // The next of them, in the order of the kernel's list; null when there are no more. It reads
  // itself when they are not there yet.
  ProcessBatch* next();

 private:
  static constexpr size_t kInAChunk = 24;  // processes: reading them takes half a millisecond
  static constexpr size_t kMaxHelpers = 3;
  struct Chunk {
    pid_t pids[kInAChunk];
    size_t count = 0;
    ProcessBatch batch;
    bool ready = false;
  };

  static void add_pid(void* self, pid_t pid);
  static void* help(void* self);
  void offer();
  void start_helper();
  Chunk* claim();
  void read(ProcessReader* reader, Chunk* chunk);
  bool is_ready(const Chunk& chunk);
  void wait_for(const Chunk& chunk);

  ProcessReader reader_;
  Chunk filling_;
  size_t given_ = 0;
  const size_t most_helpers_;
  size_t helper_count_ = 0;
  pthread_t helpers_[kMaxHelpers];
  // Guards what follows, and `ready` of the chunks.
  std::mutex mutex_;
  pthread_cond_t changed_ =
      PTHREAD_COND_INITIALIZER;  // std::condition_variable would want a newer libstdc++
  std::deque<Chunk> chunks_;     // all that can be read
  size_t claimed_ = 0;           // so many of them are, or are being read
  bool listed_ = false;          // there will be no more
};

}  // namespace dfjail
