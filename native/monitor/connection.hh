#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "loop.hh"
#include "protocol.hh"

namespace dfjail {

struct Frame {
  Type type;
  uint32_t id;
  const unsigned char* payload;  // valid until the next frame is taken
  size_t size;
};

inline Reader reader_of(const Frame& frame) { return Reader(frame.payload, frame.size); }

// One program that talks to this monitor. Bytes and descriptors in, frames out; and the reverse.
class Connection {
 public:
  explicit Connection(int fd);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  static constexpr size_t kMaxStops = 16;

  Source source;
  uint32_t stop_requests[kMaxStops] = {};  // wait for STOPPED
  size_t stop_count = 0;
  bool greeted = false;
  bool wants_steps = false;

  // Did the other side end without having taken all that it was sent? As far as the kernel tells.
  bool unheard = false;

  bool is_stopping() const { return stop_count > 0; }
  // Takes what has arrived. False when the other side is gone.
  bool receive();
  // The next whole frame. False with *broken when what came is not one.
  bool next(Frame* frame, bool* broken);
  // Descriptors that came along, in order. False when there are not that many.
  bool take_descriptors(int* out, size_t count);
  // Keeps a frame until `push`.
  void send(Writer* writer);
  // Sends what is kept, as far as it is taken; `flush` sends the rest when there is room.
  void push(Loop* loop);
  // False when the other side is gone.
  bool flush(Loop* loop);
  // Zeroes what came in and what waits to go out.
  void wipe();
  // Before exit: waits a moment for the other side to take what is left.
  void drain();

 private:
  bool reserve(size_t size);
  void keep_descriptors(msghdr* message);
  void take_out(size_t written);
  bool write_out(const unsigned char* bytes, size_t size, size_t* written);

  unsigned char* in_ = nullptr;
  size_t in_size_ = 0;
  size_t in_used_ = 0;
  size_t in_capacity_ = 0;
  unsigned char* out_ = nullptr;
  size_t out_size_ = 0;
  size_t out_capacity_ = 0;
  bool waiting_ = false;  // for room
  int descriptors_[kMaxDescriptors * 2];
  size_t descriptor_count_ = 0;
};

}  // namespace dfjail
