#include "linux_process_object.hh"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace dfjail {
namespace {

constexpr const char* kKeyNames[] = {
    "pid",  "jailPid", "ppid",      "pgid", "sid",         "jid",     "uid",     "gid", "command",
    "args", "state",   "startTime", "rss",  "virtualSize", "cpuTime", "threads", "tty",
};
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

const char* state_word(char state) {
  switch (state) {
    case 'R':
      return "running";
    case 'T':
    case 't':
      return "stopped";
    case 'Z':
    case 'X':
    case 'x':
      return "zombie";
    case 'I':
      return "idle";
    default:
      return "sleeping";  // S, D and what older kernels had
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

Napi::Array split_arguments(Napi::Env env, const char* bytes, size_t size) {
  Napi::Array list = Napi::Array::New(env);
  const char* end = bytes + (size == 0 ? 0 : without_padding(bytes, size));
  uint32_t count = 0;
  while (bytes < end) {
    const size_t length = strnlen(bytes, static_cast<size_t>(end - bytes));
    list.Set(count++, Napi::String::New(env, bytes, length));
    bytes += length + 1;
  }
  return list;
}

// A number of the host as the jail has it. Without a range of its own (0) the two are the same.
uint32_t id_inside(uint32_t id, const JailIds& jail) {
  if (jail.id_count == 0) return id;
  if (jail.id_count == 1) return 0;  // rootless, where the entry has the user's number only
  return id >= jail.id_base && id - jail.id_base < jail.id_count ? id - jail.id_base : kNobody;
}

}  // namespace

ProcessObjects::ProcessObjects(Napi::Env env)
    : env_(env),
      boot_time_(boot_time()),
      tick_length_(1e3 / static_cast<double>(sysconf(_SC_CLK_TCK))) {
  static_assert(sizeof kKeyNames / sizeof *kKeyNames == kKeyCount, "a name for every key");
  for (size_t i = 0; i < kKeyCount; i++) keys_[i] = Napi::String::New(env, kKeyNames[i]);
}

void ProcessObjects::set(napi_value object, Key key, napi_value value) const {
  napi_set_property(env_, object, keys_[key], value);
}

void ProcessObjects::set_number(napi_value object, Key key, double value) const {
  set(object, key, Napi::Number::New(env_, value));
}

void ProcessObjects::set_text(napi_value object, Key key, const char* text) const {
  set(object, key, Napi::String::New(env_, text));
}

Napi::Object ProcessObjects::make(const Process& process) const {
  Napi::Object object = Napi::Object::New(env_);
  set_number(object, kPid, process.pid);
  set_number(object, kJailPid, process.pid);
  set_number(object, kPpid, process.parent);
  set_number(object, kPgid, process.group);
  set_number(object, kSid, process.session);
  set_number(object, kJid, 0);
  set_number(object, kUid, process.uid);
  set_number(object, kGid, process.gid);
  set_text(object, kCommand, process.command);
  set(object, kArgs, split_arguments(env_, process.arguments, process.arguments_size));
  set_text(object, kState, state_word(process.state));
  set_number(object, kStartTime,
             boot_time_ + static_cast<double>(process.start_ticks) * tick_length_);
  set_number(object, kRss, static_cast<double>(process.rss));
  set_number(object, kVirtualSize, static_cast<double>(process.virtual_size));
  set_number(object, kCpuTime, static_cast<double>(process.cpu_ticks) * tick_length_);
  set_number(object, kThreads, process.threads);
  if (process.terminal == 0) {
    set(object, kTty, env_.Null());
  } else {
    char name[32];
    terminal_name(process.terminal, name);
    set_text(object, kTty, name);
  }
  return object;
}

void ProcessObjects::set_jail(Napi::Object object, const Process& process,
                              const JailIds& jail) const {
  set_number(object, kJid, jail.jid);
  set_number(object, kJailPid, process.jail_pid);
  set_number(object, kUid, id_inside(process.uid, jail));
  set_number(object, kGid, id_inside(process.gid, jail));
}

}  // namespace dfjail
