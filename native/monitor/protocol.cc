#include "protocol.hh"

#include <stdlib.h>
#include <string.h>

#include "login_class.hh"

namespace dfjail {

bool Reader::has(size_t n) {
  if (ok_ && static_cast<size_t>(end_ - at_) >= n) return true;
  ok_ = false;
  return false;
}

uint32_t Reader::u32() {
  uint32_t value = 0;
  if (!has(sizeof value)) return 0;
  memcpy(&value, at_, sizeof value);
  at_ += sizeof value;
  return value;
}

uint64_t Reader::u64() {
  uint64_t value = 0;
  if (!has(sizeof value)) return 0;
  memcpy(&value, at_, sizeof value);
  at_ += sizeof value;
  return value;
}

const char* Reader::str() {
  const uint32_t n = u32();
  if (n >= kMaxFrame || !has(static_cast<size_t>(n) + 1)) {
    ok_ = false;
    return "";
  }
  const char* text = reinterpret_cast<const char*>(at_);
  at_ += n + 1;
  if (strnlen(text, static_cast<size_t>(n) + 1) == n) return text;
  ok_ = false;
  return "";
}

Writer::Writer(Type type, uint32_t id) {
  put("\0\0\0\0", 4);
  u32(static_cast<uint32_t>(type));
  u32(id);
}

Writer::~Writer() { free(bytes_); }

void Writer::put(const void* bytes, size_t n) {
  if (size_ + n > capacity_) {
    const size_t capacity = (size_ + n) * 2 + 64;
    void* grown = realloc(bytes_, capacity);
    if (grown == nullptr)
      abort();  // a few hundred bytes: the host is beyond help, and a lost monitor is dealt with
    bytes_ = static_cast<unsigned char*>(grown);
    capacity_ = capacity;
  }
  memcpy(bytes_ + size_, bytes, n);
  size_ += n;
}

void Writer::u32(uint32_t value) { put(&value, sizeof value); }
void Writer::u64(uint64_t value) { put(&value, sizeof value); }

void Writer::str(const char* text) {
  const size_t n = strlen(text);
  u32(static_cast<uint32_t>(n));
  put(text, n + 1);
}

const unsigned char* Writer::frame(size_t* size) {
  const uint32_t length = static_cast<uint32_t>(size_ - sizeof(uint32_t));
  memcpy(bytes_, &length, sizeof length);
  *size = size_;
  return bytes_;
}

namespace {

// A count that cannot be met by the bytes that follow is caught by the reads; this bounds our
// arrays.
size_t bounded_count(Reader* reader, size_t max, bool* ok) {
  const uint32_t n = reader->u32();
  if (n <= max) return n;
  *ok = false;
  return 0;
}

bool decode_limits(Reader* reader, Limit* limits, size_t* count) {
  bool ok = true;
  *count = bounded_count(reader, kMaxLimits, &ok);
  for (size_t i = 0; i < *count; i++) {
    limits[i].resource = reader->u32();
    limits[i].soft = reader->u64();
    limits[i].hard = reader->u64();
  }
  return ok;
}

bool decode_mounts(Reader* reader, JailSpec* spec) {
  bool ok = true;
  spec->mount_count = bounded_count(reader, kMaxMounts, &ok);
  for (size_t i = 0; i < spec->mount_count; i++) {
    MountSpec& mount = spec->mounts[i];
    mount.type = static_cast<MountType>(reader->u32());
    mount.target = reader->str();
    mount.source = reader->str();
    mount.flags = reader->u32();
    mount.options = reader->str();
    const uint32_t type = static_cast<uint32_t>(mount.type);
    if (type < 1 || type > 4) ok = false;
  }
  return ok;
}

bool decode_addresses(Reader* reader, JailSpec* spec) {
  bool ok = true;
  spec->address_count = bounded_count(reader, kMaxAddresses, &ok);
  for (size_t i = 0; i < spec->address_count; i++) spec->addresses[i] = reader->str();
  bool same = true;
  const size_t scopes = bounded_count(reader, kMaxAddresses, &same);
  for (size_t i = 0; i < scopes; i++) spec->scopeids[i] = reader->u32();
  return ok && same && scopes == spec->address_count;
}

// Room for `extra` more and the end. At most one string needs four bytes, so the count is bounded
// by the frame.
const char** decode_strings(Reader* reader, size_t extra, size_t* count) {
  const uint32_t n = reader->u32();
  *count = 0;
  if (!reader->ok() || n > kMaxFrame / 4) return nullptr;
  const char** list = static_cast<const char**>(calloc(n + extra + 1, sizeof(char*)));
  if (list == nullptr) return nullptr;
  while (*count < n && reader->ok()) list[(*count)++] = reader->str();
  return list;
}

bool decode_who(Reader* reader, Who* kind, const char** name, uint32_t* id) {
  const uint32_t value = reader->u32();
  *kind = static_cast<Who>(value);
  *name = reader->str();
  *id = reader->u32();
  return value <= 2;
}

bool decode_groups(Reader* reader, CommandSpec* command) {
  bool ok = true;
  command->group_count = bounded_count(reader, kMaxGivenGroups, &ok);
  for (size_t i = 0; i < command->group_count; i++) command->groups[i] = reader->u32();
  return ok;
}

bool decode_stdio(Reader* reader, CommandSpec* command) {
  bool ok = true;
  command->stdio_count = bounded_count(reader, kMaxStdio, &ok);
  for (size_t i = 0; i < command->stdio_count; i++) {
    const uint32_t slot = reader->u32();
    command->stdio[i] = static_cast<Slot>(slot);
    if (slot > 2) ok = false;
  }
  return ok;
}

}  // namespace

bool decode_spec(Reader* reader, JailSpec* spec) {
  spec->state_dir = reader->str();
  spec->path = reader->str();
  spec->hostname = reader->str();
  spec->name = reader->str();
  bool ok = decode_addresses(reader, spec);
  spec->interface = reader->str();
  spec->capabilities = reader->u32();
  ok = decode_mounts(reader, spec) && ok;
  ok = decode_limits(reader, spec->limits, &spec->limit_count) && ok;
  spec->memory = reader->u64();
  spec->processes = reader->u64();
  spec->flags = reader->u32();
  return ok && reader->finished();
}

bool decode_command(Reader* reader, CommandSpec* command) {
  // HOME, SHELL, USER, LOGNAME, TERM may come in with `login`, and what its class says.
  constexpr size_t kLoginVariables = 5 + kMaxClassVariables;
  command->file = reader->str();
  command->argv = decode_strings(reader, 0, &command->argc);
  command->env = decode_strings(reader, kLoginVariables, &command->env_count);
  command->cwd = reader->str();
  bool ok = command->argv != nullptr && command->env != nullptr;
  ok = decode_who(reader, &command->user_kind, &command->user, &command->uid) && ok;
  ok = decode_who(reader, &command->group_kind, &command->group, &command->gid) && ok;
  ok = decode_limits(reader, command->limits, &command->limit_count) && ok;
  command->flags = reader->u32();
  ok = decode_stdio(reader, command) && ok;
  command->terminal_type = reader->str();
  ok = decode_groups(reader, command) && ok;
  return ok && reader->finished();
}

void free_command(CommandSpec* command) {
  free(command->argv);
  free(command->env);
  command->argv = nullptr;
  command->env = nullptr;
}

void encode_error(Writer* writer, const Error& error) {
  writer->u32(static_cast<uint32_t>(error.number));
  writer->str(error.code);
  writer->str(error.syscall);
  writer->str(error.step);
  writer->str(error.path);
  writer->str(error.detail);
}

}  // namespace dfjail
