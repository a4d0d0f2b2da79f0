#include "linux_host_processes.hh"

#include <sched.h>
#include <signal.h>

#include <algorithm>

namespace dfjail {
namespace {

constexpr size_t kInAChunk = 24;      // processes: reading them takes half a millisecond
constexpr size_t kWorthAHelper = 96;  // processes
constexpr size_t kStackSize = size_t{256} * 1024;

// No signal handler of the program may run on a thread that is started meanwhile.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

// Of those that we may run on; one when there are more than the set holds.
size_t processor_count() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<size_t>(CPU_COUNT(&set)) : 1;
}

// Beside the thread that asks.
size_t helpers_for(size_t processes, size_t most) {
  return std::min({processes / kWorthAHelper, processor_count() - 1, most});
}

void add_pid(void* context, pid_t pid) {
  static_cast<std::vector<pid_t>*>(context)->push_back(pid);
}

}  // namespace

void ProcessBatch::add(const Process& process) {
  arguments.insert(arguments.end(), process.arguments, process.arguments + process.arguments_size);
  processes.push_back(process);
}

HostReader::HostReader() {
  each_pid(add_pid, &pids_);
  chunks_.resize((pids_.size() + kInAChunk - 1) / kInAChunk);
  for (size_t i = 0; i < chunks_.size(); i++) {
    chunks_[i].begin = pids_.data() + i * kInAChunk;
    chunks_[i].end = pids_.data() + std::min((i + 1) * kInAChunk, pids_.size());
  }
  start_helpers();
}

HostReader::~HostReader() {
  for (size_t i = 0; i < helper_count_; i++) pthread_join(helpers_[i], nullptr);
}

// Where there is no thread to be had, whoever asks reads everything.
void HostReader::start_helpers() {
  const SignalsBlocked blocked;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackSize);
  for (size_t wanted = helpers_for(pids_.size(), kMaxHelpers); helper_count_ < wanted;) {
    if (pthread_create(&helpers_[helper_count_], &attributes, help, this) != 0) break;
    helper_count_++;
  }
  pthread_attr_destroy(&attributes);
}

void* HostReader::help(void* self) {
  auto* host = static_cast<HostReader*>(self);
  ProcessReader reader;
  while (Chunk* chunk = host->claim()) host->read(&reader, chunk);
  return nullptr;
}

HostReader::Chunk* HostReader::claim() {
  const size_t i = claimed_++;
  return i < chunks_.size() ? &chunks_[i] : nullptr;
}

void HostReader::read(ProcessReader* reader, Chunk* chunk) {
  for (const pid_t* pid = chunk->begin; pid != chunk->end; pid++) {
    Process process;
    if (reader->read(*pid, &process)) chunk->batch.add(process);
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    chunk->ready = true;
  }
  read_.notify_one();
}

ProcessBatch* HostReader::next() {
  if (given_ == chunks_.size()) return nullptr;
  Chunk& wanted = chunks_[given_++];
  while (!is_ready(wanted)) {
    Chunk* chunk = claim();
    if (chunk == nullptr) {
      wait_for(wanted);
    } else {
      read(&reader_, chunk);
    }
  }
  return &wanted.batch;
}

bool HostReader::is_ready(const Chunk& chunk) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return chunk.ready;
}

void HostReader::wait_for(const Chunk& chunk) {
  std::unique_lock<std::mutex> lock(mutex_);
  read_.wait(lock, [&] { return chunk.ready; });
}

}  // namespace dfjail
