#include "../monitor/loop.hh"

#include <fcntl.h>
#include <sys/types.h>
#include <time.h>

#include <sys/event.h>

namespace dfjail {
namespace {

bool change(int queue, const Source* source, int16_t filter, uint16_t flags) {
  struct kevent event;
  EV_SET(&event, static_cast<uintptr_t>(source->fd), filter, flags, 0, 0,
         const_cast<Source*>(source));
  return kevent(queue, &event, 1, nullptr, 0, nullptr) == 0;
}

}  // namespace

bool Loop::open() {
  fd_ = kqueue();
  return fd_ >= 0 && fcntl(fd_, F_SETFD, FD_CLOEXEC) == 0;
}

bool Loop::watch(Source* source) { return change(fd_, source, EVFILT_READ, EV_ADD); }

bool Loop::want_write(Source* source, bool wanted) {
  return change(fd_, source, EVFILT_WRITE, wanted ? EV_ADD : EV_DELETE);
}

void Loop::forget(Source* source) {
  change(fd_, source, EVFILT_READ, EV_DELETE);
  change(fd_, source, EVFILT_WRITE, EV_DELETE);
  for (int i = 0; i < batch_size_; i++) {
    if (batch_[i] == source) batch_[i] = nullptr;
  }
}

void Loop::turn(int timeout) {
  struct kevent events[kBatch];
  const timespec wait = {timeout / 1'000'000, static_cast<long>(timeout % 1'000'000) * 1000};
  const int n = kevent(fd_, nullptr, 0, events, kBatch, timeout < 0 ? nullptr : &wait);
  batch_size_ = n > 0 ? n : 0;
  for (int i = 0; i < batch_size_; i++) batch_[i] = static_cast<Source*>(events[i].udata);
  for (int i = 0; i < batch_size_; i++) {
    Source* source = batch_[i];
    if (source == nullptr) continue;
    const bool writable = events[i].filter == EVFILT_WRITE;
    source->ready(source->monitor, source->thing, !writable, writable);
  }
  batch_size_ = 0;
}

}  // namespace dfjail
