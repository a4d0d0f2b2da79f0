#include "linux_host_processes.hh"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

namespace dfjail {
namespace {

constexpr size_t kMaxThreads = 4;
constexpr size_t kWorthAThread = 96;  // processes: reading them takes a millisecond
constexpr size_t kStackSize = size_t{256} * 1024;

struct Share {
  const pid_t* begin;
  const pid_t* end;
  ProcessBatch batch;
};

void* read_share(void* argument) {
  auto* share = static_cast<Share*>(argument);
  ProcessReader reader;
  for (const pid_t* pid = share->begin; pid != share->end; pid++) {
    Process process;
    if (reader.read(*pid, &process)) share->batch.add(process);
  }
  return nullptr;
}

// Threads of ours, on which no signal handler of the program may run.
class Helpers {
 public:
  Helpers() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
    pthread_attr_init(&attributes_);
    pthread_attr_setstacksize(&attributes_, kStackSize);
  }
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;
  ~Helpers() {
    for (size_t i = 0; i < count_; i++) pthread_join(threads_[i], nullptr);
    pthread_attr_destroy(&attributes_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  // Reads it itself where there is no thread to be had.
  void give(Share* share) {
    if (pthread_create(&threads_[count_], &attributes_, read_share, share) == 0) {
      count_++;
    } else {
      read_share(share);
    }
  }

 private:
  sigset_t before_;
  pthread_attr_t attributes_;
  pthread_t threads_[kMaxThreads];
  size_t count_ = 0;
};

size_t thread_count(size_t processes) {
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  const size_t most = std::min(kMaxThreads, static_cast<size_t>(std::max(processors, 1L)));
  return std::clamp<size_t>(processes / kWorthAThread, 1, most);
}

void add_pid(void* context, pid_t pid) {
  static_cast<std::vector<pid_t>*>(context)->push_back(pid);
}

}  // namespace

void ProcessBatch::add(const Process& process) {
  arguments.insert(arguments.end(), process.arguments, process.arguments + process.arguments_size);
  processes.push_back(process);
}

std::vector<ProcessBatch> read_host() {
  std::vector<pid_t> pids;
  each_pid(add_pid, &pids);
  const size_t count = thread_count(pids.size());
  std::vector<Share> shares(count);
  for (size_t i = 0; i < count; i++) {
    shares[i].begin = pids.data() + pids.size() * i / count;
    shares[i].end = pids.data() + pids.size() * (i + 1) / count;
  }
  {
    Helpers helpers;
    for (size_t i = 1; i < count; i++) helpers.give(&shares[i]);
    read_share(&shares[0]);
  }
  std::vector<ProcessBatch> batches;
  for (Share& share : shares) batches.push_back(std::move(share.batch));
  return batches;
}

}  // namespace dfjail
