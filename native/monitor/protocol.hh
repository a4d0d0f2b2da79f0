#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../common/error.hh"
#include "spec.hh"

// docs/monitor-protocol.md, this side of it. Encoding and decoding only: no descriptors, no state.
namespace dfjail {

constexpr uint32_t kProtocolVersion = 1;
constexpr uint32_t kMaxFrame = 8U << 20;
constexpr size_t kMaxDescriptors = 64;
// Of HELLO: before the answers to CREATE, ATTACH and STOP come STEPS.
constexpr uint32_t kTellSteps = 1;

enum class Type : uint16_t {
  kHello = 1,
  kCreate = 2,
  kAttach = 3,
  kSpawn = 4,
  kSignal = 5,
  kStop = 6,
  kCapabilities = 7,
  kWelcome = 101,
  kReady = 102,
  kFailed = 103,
  kSpawned = 104,
  kExited = 105,
  kDone = 106,
  kStopped = 107,
  kGone = 108,
  kSteps = 109,
};

// Walks over a payload. Every read checks the bounds; after a bad one `ok` stays false and reads
// give zeros, so that a caller checks once, at the end. Strings stay where they are: the frame must
// outlive them.
class Reader {
 public:
  Reader(const unsigned char* bytes, size_t size) : at_(bytes), end_(bytes + size) {}
  uint32_t u32();
  uint64_t u64();
  const char* str();
  bool finished() const { return ok_ && at_ == end_; }
  bool ok() const { return ok_; }

 private:
  bool has(size_t n);
  const unsigned char* at_;
  const unsigned char* end_;
  bool ok_ = true;
};

// Builds one frame. Grows by malloc; without memory it marks itself failed and the connection is
// ended.
class Writer {
 public:
  Writer(Type type, uint32_t id);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  void u32(uint32_t value);
  void u64(uint64_t value);
  void str(const char* text);
  // Sets the length; the bytes belong to the writer.
  const unsigned char* frame(size_t* size);

 private:
  void put(const void* bytes, size_t n);
  unsigned char* bytes_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// All three return false for a payload that is not exactly one such message.
bool decode_spec(Reader* reader, JailSpec* spec);
bool decode_command(Reader* reader, CommandSpec* command);
void encode_error(Writer* writer, const Error& error);

}  // namespace dfjail
