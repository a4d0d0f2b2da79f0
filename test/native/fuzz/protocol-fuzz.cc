// What a program sends to a monitor: bytes in pieces of any size, through the connection and the
// decoders that the monitor has.
//
// Input: the first byte below 128 is the size of a piece (0: all at once), and the rest is what is
// sent. Above that it is the type of the one message whose payload the rest is: without a socket
// that is a thousand times faster.
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../../native/monitor/connection.hh"

using dfjail::CommandSpec;
using dfjail::Connection;
using dfjail::Frame;
using dfjail::JailSpec;
using dfjail::Reader;
using dfjail::Type;

namespace {

constexpr uint8_t kDirect = 0x80;

// A string that was handed out must be whole, and inside of its frame.
void inside(const Frame& frame, const char* text) {
  if (text[0] == '\0') return;
  const auto* at = reinterpret_cast<const unsigned char*>(text);
  const size_t size = strlen(text) + 1;
  if (at < frame.payload || at + size > frame.payload + frame.size) abort();
}

void look_at_spec(const Frame& frame) {
  static JailSpec spec;
  Reader reader = dfjail::reader_of(frame);
  if (!dfjail::decode_spec(&reader, &spec)) return;
  const char* const texts[] = {spec.state_dir, spec.path, spec.hostname, spec.name, spec.interface};
  for (const char* text : texts) inside(frame, text);
  for (size_t i = 0; i < spec.address_count; i++) inside(frame, spec.addresses[i]);
  for (size_t i = 0; i < spec.mount_count; i++) {
    const dfjail::MountSpec& mount = spec.mounts[i];
    const auto type = static_cast<unsigned>(mount.type);
    if (type < 1 || type > 4) abort();
    const char* const words[] = {mount.target, mount.source, mount.options};
    for (const char* text : words) inside(frame, text);
  }
  if (spec.limit_count > dfjail::kMaxLimits) abort();
}

void look_at_list(const Frame& frame, const char** list, size_t count) {
  for (size_t i = 0; i < count; i++) inside(frame, list[i]);
  if (list[count] != nullptr) abort();
}

void look_at_command(const Frame& frame) {
  CommandSpec command;
  Reader reader = dfjail::reader_of(frame);
  if (dfjail::decode_command(&reader, &command)) {
    inside(frame, command.file);
    inside(frame, command.cwd);
    look_at_list(frame, command.argv, command.argc);
    look_at_list(frame, command.env, command.env_count);
    if (command.stdio_count > dfjail::kMaxStdio) abort();
    if (command.group_count > dfjail::kMaxGivenGroups) abort();
  }
  dfjail::free_command(&command);
}

// HELLO, ATTACH, SIGNAL and STOP are a few numbers and texts.
void look_at_words(const Frame& frame) {
  Reader reader = dfjail::reader_of(frame);
  inside(frame, reader.str());
  reader.u64();
  inside(frame, reader.str());
  while (reader.ok()) reader.u32();
}

void look_at(const Frame& frame) {
  if (frame.type == Type::kCreate) return look_at_spec(frame);
  if (frame.type == Type::kSpawn) return look_at_command(frame);
  look_at_words(frame);
}

// False when the connection would be ended.
bool take_frames(Connection* connection) {
  Frame frame;
  bool broken = false;
  while (connection->next(&frame, &broken)) look_at(frame);
  return !broken;
}

void send_in_pieces(int to, Connection* connection, const uint8_t* bytes, size_t size,
                    size_t piece) {
  for (size_t at = 0; at < size;) {
    const size_t wanted = size - at < piece ? size - at : piece;
    const ssize_t n = send(to, bytes + at, wanted, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) at += static_cast<size_t>(n);
    if (!connection->receive() || !take_frames(connection)) return;
  }
}

void go_through_connection(const uint8_t* bytes, size_t size, size_t piece) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) abort();
  {
    Connection connection(ends[0]);
    send_in_pieces(ends[1], &connection, bytes, size, piece == 0 ? size : piece);
    connection.wipe();
  }
  close(ends[1]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  if (data[0] < kDirect) {
    go_through_connection(data + 1, size - 1, data[0]);
  } else {
    look_at({static_cast<Type>(data[0] - kDirect), 1, data + 1, size - 1});
  }
  return 0;
}
