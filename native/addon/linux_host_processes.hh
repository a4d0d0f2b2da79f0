#pragma once

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <condition_variable>
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
// at once: long lists are read by several threads, while whoever asks makes use of what is there.
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
  struct Chunk {
    const pid_t* begin;
    const pid_t* end;
    ProcessBatch batch;
    bool ready = false;  // guarded by the mutex
  };
  static constexpr size_t kMaxHelpers = 3;

  static void* help(void* self);
  void start_helpers();
  Chunk* claim();
  void read(ProcessReader* reader, Chunk* chunk);
  bool is_ready(const Chunk& chunk);
  void wait_for(const Chunk& chunk);

  std::vector<pid_t> pids_;
  std::vector<Chunk> chunks_;
  std::atomic<size_t> claimed_{0};
  size_t given_ = 0;
  ProcessReader reader_;
  std::mutex mutex_;
  std::condition_variable read_;
  pthread_t helpers_[kMaxHelpers];
  size_t helper_count_ = 0;
};

}  // namespace dfjail
