#include "linux_process_table.hh"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace dfjail {
namespace {

constexpr uint32_t kNobody = 65534;

double milliseconds(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// When the machine was started. Kept while it stays about the same, so that a process has the same
// start time in every listing; not when somebody sets the clock.
double boot_time() {
  static std::atomic<double> kept{0};
  constexpr double kTolerance = 500;
  const double found = floor(milliseconds(CLOCK_REALTIME) - milliseconds(CLOCK_BOOTTIME));
  const double before = kept.load(std::memory_order_relaxed);
  if (fabs(found - before) < kTolerance) return before;
  kept.store(found, std::memory_order_relaxed);
  return found;
}

// Which of the words of process-table.ts.
double state_number(char state) {
  switch (state) {
    case 'R':
      return 1;
    case 'T':
    case 't':
      return 2;
    case 'Z':
    case 'X':
    case 'x':
      return 3;
    case 'I':
      return 4;
    default:
      return 0;  // S, D and what older kernels had
  }
}

struct TerminalKind {
  uint32_t major;
  uint32_t first;  // minor
  uint32_t end;
  const char* prefix;
};

constexpr TerminalKind kTerminals[] = {
    {4, 0, 64, "tty"},       {4, 64, 256, "ttyS"},    {166, 0, 256, "ttyACM"},
    {188, 0, 256, "ttyUSB"}, {204, 64, 80, "ttyAMA"}, {229, 0, 256, "hvc"},
};

// As below /dev; the device's numbers where the kernel's list of names is not ours.
void terminal_name(uint32_t device, char (&out)[32]) {
  const uint32_t major = (device >> 8) & 0xfff;
  const uint32_t minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major >= 136 && major < 144) {
    snprintf(out, sizeof out, "pts/%u", (major - 136) * 256 + minor);
    return;
  }
  if (major == 5 && minor == 1) {
    snprintf(out, sizeof out, "console");
    return;
  }
  for (const TerminalKind& kind : kTerminals) {
    if (kind.major != major || minor < kind.first || minor >= kind.end) continue;
    snprintf(out, sizeof out, "%s%u", kind.prefix, minor - kind.first);
    return;
  }
  snprintf(out, sizeof out, "%u:%u", major, minor);
}

// A program that shows a title instead of its arguments fills the rest with NULs: these are no
// empty arguments.
size_t without_padding(const char* bytes, size_t size) {
  const size_t first = strnlen(bytes, size);
  for (size_t i = first; i < size; i++) {
    if (bytes[i] != '\0') return size;
  }
  return size - first > 2 ? first : size;
}

// A number of the host as the jail has it. Without a range of its own (0) the two are the same.
uint32_t id_inside(uint32_t id, const JailIds& jail) {
  if (jail.id_count == 0) return id;
  if (jail.id_count == 1) return 0;  // rootless, where the entry has the user's number only
  return id >= jail.id_base && id - jail.id_base < jail.id_count ? id - jail.id_base : kNobody;
}

}  // namespace

ProcessTable::ProcessTable(Napi::Env env)
    : env_(env),
      boot_time_(boot_time()),
      tick_length_(1e3 / static_cast<double>(sysconf(_SC_CLK_TCK))),
      texts_(Napi::Array::New(env)) {}

size_t ProcessTable::add(const Process& process) {
  const Napi::HandleScope scope(env_);
  const size_t row = numbers_.size() / kColumns;
  const double start = boot_time_ + static_cast<double>(process.start_ticks) * tick_length_;
  const double cpu_time = static_cast<double>(process.cpu_ticks) * tick_length_;
  const double columns[kColumns] = {
      static_cast<double>(process.pid),
      static_cast<double>(process.pid),
      static_cast<double>(process.parent),
      static_cast<double>(process.group),
      static_cast<double>(process.session),
      0,
      static_cast<double>(process.uid),
      static_cast<double>(process.gid),
      state_number(process.state),
      start,
      static_cast<double>(process.rss),
      static_cast<double>(process.virtual_size),
      cpu_time,
      static_cast<double>(process.threads),
  };
  numbers_.insert(numbers_.end(), columns, columns + kColumns);
  add_text(process.command, strlen(process.command));
  add_terminal(row, process.terminal);
  add_arguments(row, process);
  return row;
}

void ProcessTable::add_text(const char* text, size_t size) {
  napi_value value = nullptr;
  if (napi_create_string_utf8(env_, text, size, &value) == napi_ok)
    napi_set_element(env_, texts_, text_count_, value);
  text_count_++;
}

void ProcessTable::add_terminal(size_t row, uint32_t device) {
  if (device == 0) return;
  char name[32];
  terminal_name(device, name);
  at(row, kHasTerminal) = 1;
  add_text(name, strlen(name));
}

void ProcessTable::add_arguments(size_t row, const Process& process) {
  const char* bytes = process.arguments;
  const size_t size = process.arguments_size;
  const char* end = bytes + (size == 0 ? 0 : without_padding(bytes, size));
  while (bytes < end) {
    const size_t length = strnlen(bytes, static_cast<size_t>(end - bytes));
    add_text(bytes, length);
    at(row, kArguments)++;
    bytes += length + 1;
  }
}

void ProcessTable::set_jail(size_t row, const Process& process, const JailIds& jail) {
  at(row, kJid) = jail.jid;
  at(row, kJailPid) = process.jail_pid;
  at(row, kUid) = id_inside(process.uid, jail);
  at(row, kGid) = id_inside(process.gid, jail);
}

Napi::Value ProcessTable::finish() {
  const size_t bytes = numbers_.size() * sizeof(double);
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env_, bytes);
  if (bytes > 0) memcpy(buffer.Data(), numbers_.data(), bytes);
  Napi::Object table = Napi::Object::New(env_);
  table.Set("numbers", Napi::Float64Array::New(env_, numbers_.size(), buffer, 0));
  table.Set("texts", texts_);
  return table;
}

}  // namespace dfjail
