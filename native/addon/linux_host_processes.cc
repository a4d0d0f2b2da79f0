#include "linux_host_processes.hh"

#include <sched.h>

#include <algorithm>

#include "signals_blocked.hh"

namespace dfjail {
namespace {

constexpr size_t kChunksForAHelper = 4;
constexpr size_t kStackSize = size_t{256} * 1024;

// Of those that we may run on; one when there are more than the set holds.
size_t processor_count() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<size_t>(CPU_COUNT(&set)) : 1;
}

}  // namespace

void ProcessBatch::add(const Process& process) {
  arguments.insert(arguments.end(), process.arguments, process.arguments + process.arguments_size);
  processes.push_back(process);
}

HostReader::HostReader() : most_helpers_(std::min(processor_count() - 1, kMaxHelpers)) {
  each_pid(add_pid, this);
  offer();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    listed_ = true;
  }
  pthread_cond_broadcast(&changed_);
}

HostReader::~HostReader() {
  for (size_t i = 0; i < helper_count_; i++) pthread_join(helpers_[i], nullptr);
  pthread_cond_destroy(&changed_);
}

void HostReader::add_pid(void* self, pid_t pid) {
  auto* host = static_cast<HostReader*>(self);
  host->filling_.pids[host->filling_.count++] = pid;
  if (host->filling_.count == kInAChunk) host->offer();
}

void HostReader::offer() {
  size_t count = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    chunks_.push_back(filling_);
    count = chunks_.size();
  }
  filling_.count = 0;
  pthread_cond_signal(&changed_);
  if (count % kChunksForAHelper == 0) start_helper();
}

// Where there is no thread to be had, whoever asks reads everything.
void HostReader::start_helper() {
  if (helper_count_ == most_helpers_) return;
  const SignalsBlocked blocked;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackSize);
  if (pthread_create(&helpers_[helper_count_], &attributes, help, this) == 0) helper_count_++;
  pthread_attr_destroy(&attributes);
}

void* HostReader::help(void* self) {
  auto* host = static_cast<HostReader*>(self);
  ProcessReader reader;
  while (Chunk* chunk = host->claim()) host->read(&reader, chunk);
  return nullptr;
}

// Null when there is nothing more to read.
HostReader::Chunk* HostReader::claim() {
  const std::lock_guard<std::mutex> lock(mutex_);
  while (claimed_ == chunks_.size() && !listed_) {
    pthread_cond_wait(&changed_, mutex_.native_handle());
  }
  return claimed_ < chunks_.size() ? &chunks_[claimed_++] : nullptr;
}

void HostReader::read(ProcessReader* reader, Chunk* chunk) {
  for (size_t i = 0; i < chunk->count; i++) {
    Process process;
    if (reader->read(chunk->pids[i], &process)) chunk->batch.add(process);
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    chunk->ready = true;
  }
  pthread_cond_broadcast(&changed_);
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
  const std::lock_guard<std::mutex> lock(mutex_);
  while (!chunk.ready) pthread_cond_wait(&changed_, mutex_.native_handle());
}

}  // namespace dfjail
