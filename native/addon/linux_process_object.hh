#pragma once

#include "../linux/processes.hh"
#include "node_api.hh"

namespace dfjail {

// What of an entry shows in its processes. Whole entries would be 20 KB each.
struct JailIds {
  explicit JailIds(const Entry& entry)
      : jid(entry.jid), id_base(entry.id_base), id_count(entry.id_count) {}
  uint32_t jid;
  uint32_t id_base;
  uint32_t id_count;
};

// Turns processes into JavaScript objects. The names of the properties are made once, which is what
// most of the time would go into otherwise. Lives within one call.
class ProcessObjects {
 public:
  explicit ProcessObjects(Napi::Env env);
  Napi::Object make(const Process& process) const;
  // For a process whose jail is known later than the rest: uid and gid as the jail sees them.
  void set_jail(Napi::Object object, const Process& process, const JailIds& jail) const;

 private:
  enum Key {
    kPid,
    kJailPid,
    kPpid,
    kPgid,
    kSid,
    kJid,
    kUid,
    kGid,
    kCommand,
    kArgs,
    kState,
    kStartTime,
    kRss,
    kVirtualSize,
    kCpuTime,
    kThreads,
    kTty,
    kKeyCount
  };
  void set(napi_value object, Key key, napi_value value) const;
  void set_number(napi_value object, Key key, double value) const;
  void set_text(napi_value object, Key key, const char* text) const;

  Napi::Env env_;
  double boot_time_;    // ms since 1970
  double tick_length_;  // ms
  napi_value keys_[kKeyCount];
};

}  // namespace dfjail
