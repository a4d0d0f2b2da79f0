#pragma once

#include <vector>

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

// Processes on their way to JavaScript: all numbers in one array, all texts in another. Objects are
// made of them there, which takes a tenth of the time that setting every property from here would.
// src/backends/linux/process-table.ts has the other half. Lives within one call.
class ProcessTable {
 public:
  explicit ProcessTable(Napi::Env env);
  // Returns its row.
  size_t add(const Process& process);
  // For a process whose jail is known later than the rest: uid and gid as the jail sees them.
  void set_jail(size_t row, const Process& process, const JailIds& jail);
  void hide(size_t row) { at(row, kPid) = 0; }
  // { numbers, texts }
  Napi::Value finish();

 private:
  enum Column {
    kPid,  // 0: hidden
    kJailPid,
    kPpid,
    kPgid,
    kSid,
    kJid,
    kUid,
    kGid,
    kState,
    kStartTime,
    kRss,
    kVirtualSize,
    kCpuTime,
    kThreads,
    kHasTerminal,
    kArguments,  // how many
    kColumns
  };
  double& at(size_t row, Column column) { return numbers_[row * kColumns + column]; }
  void add_text(const char* text, size_t size);
  void add_terminal(size_t row, uint32_t device);
  void add_arguments(size_t row, const Process& process);

  Napi::Env env_;
  double boot_time_;    // ms since 1970
  double tick_length_;  // ms
  std::vector<double> numbers_;
  Napi::Array texts_;  // for each process: command, terminal if it has one, arguments
  uint32_t text_count_ = 0;
};

}  // namespace dfjail
