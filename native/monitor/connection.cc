#include "connection.hh"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/wipe.hh"

namespace dfjail {
namespace {

constexpr size_t kFirstBuffer = 4096;
constexpr size_t kHeader = 12;  // length, type, zero, id
constexpr int kDrainMilliseconds = 1000;

uint32_t u32_at(const unsigned char* bytes) {
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

Connection::Connection(int fd) { source.fd = fd; }

void Connection::wipe() {
  if (in_ != nullptr) wipe_memory(in_, in_capacity_);
  if (out_ != nullptr) wipe_memory(out_, out_size_);
}

Connection::~Connection() {
  wipe();
  for (size_t i = 0; i < descriptor_count_; i++) close(descriptors_[i]);
  close(source.fd);
  free(in_);
  free(out_);
}

bool Connection::reserve(size_t size) {
  if (size <= in_capacity_) return true;
  unsigned char* grown =
      static_cast<unsigned char*>(malloc(size));  // realloc leaves an old copy behind
  if (grown == nullptr) return false;
  if (in_ != nullptr) {
    memcpy(grown, in_, in_size_);
    wipe_memory(in_, in_capacity_);
    free(in_);
  }
  in_ = grown;
  in_capacity_ = size;
  return true;
}

void Connection::keep_descriptors(msghdr* message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(message); c != nullptr; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      if (descriptor_count_ < kMaxDescriptors * 2) {
        descriptors_[descriptor_count_++] = fd;
      } else {
        close(fd);
      }
    }
  }
}

bool Connection::receive() {
  if (in_used_ > 0) {  // what was taken makes room
    memmove(in_, in_ + in_used_, in_size_ - in_used_);
    in_size_ -= in_used_;
    in_used_ = 0;
  }
  if (!reserve(kFirstBuffer) || (in_size_ == in_capacity_ && !reserve(in_capacity_ * 2)))
    return false;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxDescriptors)];
  iovec bytes = {in_ + in_size_, in_capacity_ - in_size_};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t n = recvmsg(source.fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0) {
    if (errno == ECONNRESET) unheard = true;
    return errno == EAGAIN || errno == EINTR;
  }
  keep_descriptors(&message);
  if (n == 0) return false;
  in_size_ += static_cast<size_t>(n);
  return true;
}

bool Connection::next(Frame* frame, bool* broken) {
  const size_t left = in_size_ - in_used_;
  if (left < sizeof(uint32_t)) return false;
  const unsigned char* at = in_ + in_used_;
  const uint32_t length = u32_at(at);
  if (length < kHeader - sizeof(uint32_t) || length > kMaxFrame) {
    *broken = true;
    return false;
  }
  const size_t whole = length + sizeof(uint32_t);
  if (left < whole) {
    // Room for the whole of it at once: large environments would otherwise be copied again and
    // again.
    const size_t used = in_used_;
    if (whole + used > in_capacity_ && !reserve(whole + used)) *broken = true;
    return false;
  }
  const uint32_t type = u32_at(at + 4);
  frame->type = static_cast<Type>(type);
  frame->id = u32_at(at + 8);
  frame->payload = at + kHeader;
  frame->size = whole - kHeader;
  in_used_ += whole;
  if (type > 0xFFFF) *broken = true;
  return !*broken;
}

bool Connection::take_descriptors(int* out, size_t count) {
  if (count > descriptor_count_) return false;
  memcpy(out, descriptors_, count * sizeof(int));
  descriptor_count_ -= count;
  memmove(descriptors_, descriptors_ + count, descriptor_count_ * sizeof(int));
  return true;
}

bool Connection::write_out(const unsigned char* bytes, size_t size, size_t* written) {
  *written = 0;
  while (*written < size) {
    const ssize_t n =
        ::send(source.fd, bytes + *written, size - *written, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      if (errno != EAGAIN) unheard = true;
      return errno == EAGAIN;
    }
    *written += static_cast<size_t>(n);
  }
  return true;
}

void Connection::send(Writer* writer) {
  size_t size;
  const unsigned char* frame = writer->frame(&size);
  if (out_size_ + size > out_capacity_) {
    out_capacity_ = (out_size_ + size) * 2;
    out_ = static_cast<unsigned char*>(realloc(out_, out_capacity_));
    if (out_ == nullptr) abort();
  }
  memcpy(out_ + out_size_, frame, size);
  out_size_ += size;
}

void Connection::push(Loop* loop) {
  if (out_size_ == 0 || waiting_) return;
  size_t written = 0;
  write_out(out_, out_size_, &written);
  take_out(written);
  if (out_size_ == 0) return;
  waiting_ = loop->want_write(&source, true);  // one that is gone is noticed there
  if (!waiting_) drain();                      // nobody would ever say that there is room
}

bool Connection::flush(Loop* loop) {
  size_t written = 0;
  if (!write_out(out_, out_size_, &written)) return false;
  take_out(written);
  if (out_size_ > 0) return true;
  waiting_ = !loop->want_write(&source, false);  // else the next turn tries again
  return true;
}

void Connection::take_out(size_t written) {
  memmove(out_, out_ + written, out_size_ - written);
  out_size_ -= written;
}

void Connection::drain() {
  while (out_size_ > 0) {
    pollfd wait = {source.fd, POLLOUT, 0};
    size_t written = 0;
    if (poll(&wait, 1, kDrainMilliseconds) <= 0 || !write_out(out_, out_size_, &written) ||
        written == 0)
      return;
    take_out(written);
  }
}

}  // namespace dfjail
