#include "reaper.hh"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>

#include "signals_blocked.hh"

namespace dfjail {
namespace {

constexpr size_t kStackSize = size_t{128} * 1024;
constexpr long kFirstPause = 1'000'000;      // ns; most monitors end as soon as their socket does
constexpr long kLongestPause = 500'000'000;  // those of persistent jails stay

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
std::vector<pid_t>* waiting =
    nullptr;  // guarded by mutex; never freed: the thread may outlive static destructors
bool running = false;

bool has_ended(pid_t pid) {
  const pid_t found = waitpid(pid, nullptr, WNOHANG);
  return found == pid || (found < 0 && errno != EINTR);
}

void drop_ended(std::vector<pid_t>* pids) {
  pids->erase(std::remove_if(pids->begin(), pids->end(), has_ended), pids->end());
}

// True when none is left; then the thread has to end.
bool sweep() {
  pthread_mutex_lock(&mutex);
  drop_ended(waiting);
  const bool empty = waiting->empty();
  if (empty) running = false;
  pthread_mutex_unlock(&mutex);
  return empty;
}

// Asks for each pid by itself: waiting for "any child" would take others' away.
void* reap(void*) {
  timespec pause = {0, kFirstPause};
  while (!sweep()) {
    nanosleep(&pause, nullptr);
    if (pause.tv_nsec < kLongestPause) pause.tv_nsec *= 2;
    if (pause.tv_nsec > kLongestPause) pause.tv_nsec = kLongestPause;
  }
  return nullptr;
}

// Node unloads the library together with the last environment that uses it; the thread's code must
// stay.
bool pin_library() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&reap), &self) == 0) return false;
  return dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) != nullptr;
}

bool start_thread() {
  pthread_attr_t attributes;
  pthread_t thread;
  if (!pin_library() || pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackSize);
  const SignalsBlocked blocked;
  const int number = pthread_create(&thread, &attributes, reap, nullptr);
  pthread_attr_destroy(&attributes);
  return number == 0;
}

}  // namespace

void reap_later(std::vector<pid_t>* pids) {
  drop_ended(pids);
  if (pids->empty()) return;
  pthread_mutex_lock(&mutex);
  if (waiting == nullptr) waiting = new std::vector<pid_t>();
  waiting->insert(waiting->end(), pids->begin(), pids->end());
  if (!running) running = start_thread();
  pthread_mutex_unlock(&mutex);
  pids->clear();
}

}  // namespace dfjail
