#include "../monitor/loop.hh"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441  // the same on all architectures
#endif

namespace dfjail {
namespace {

// Before Linux 5.11 there are only milliseconds.
int wait_for(int epoll, epoll_event* events, int count, int microseconds) {
  if (microseconds < 0) return epoll_wait(epoll, events, count, -1);
  const timespec wait = {microseconds / 1'000'000,
                         static_cast<long>(microseconds % 1'000'000) * 1000};
  const long n = syscall(SYS_epoll_pwait2, epoll, events, count, &wait, nullptr, 0);
  if (n >= 0 || errno != ENOSYS) return static_cast<int>(n);
  return epoll_wait(epoll, events, count, (microseconds + 999) / 1000);
}

}  // namespace

bool Loop::open() {
  fd_ = epoll_create1(EPOLL_CLOEXEC);
  return fd_ >= 0;
}

bool Loop::watch(Source* source) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.ptr = source;
  return epoll_ctl(fd_, EPOLL_CTL_ADD, source->fd, &event) == 0;
}

bool Loop::want_write(Source* source, bool wanted) {
  epoll_event event = {};
  event.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = source;
  return epoll_ctl(fd_, EPOLL_CTL_MOD, source->fd, &event) == 0;
}

void Loop::forget(Source* source) {
  epoll_ctl(fd_, EPOLL_CTL_DEL, source->fd, nullptr);
  for (int i = 0; i < batch_size_; i++) {
    if (batch_[i] == source) batch_[i] = nullptr;
  }
}

void Loop::turn(int timeout) {
  epoll_event events[kBatch];
  const int n = wait_for(fd_, events, kBatch, timeout);
  batch_size_ = n > 0 ? n : 0;
  for (int i = 0; i < batch_size_; i++) batch_[i] = static_cast<Source*>(events[i].data.ptr);
  for (int i = 0; i < batch_size_; i++) {
    Source* source = batch_[i];
    if (source == nullptr) continue;
    const uint32_t what = events[i].events;
    source->ready(source->monitor, source->thing, (what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0,
                  (what & EPOLLOUT) != 0);
  }
  batch_size_ = 0;
}

}  // namespace dfjail
