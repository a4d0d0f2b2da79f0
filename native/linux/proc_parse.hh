#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "processes.hh"

// The text of /proc/PID/stat and /proc/PID/status, taken apart. No system call in here, so that the
// tests can feed it anything.
namespace dfjail {

// One decimal number at *at, which moves behind it. False when there is none.
inline bool parse_number(const char** at, const char* end, int64_t* out) {
  const char* p = *at;
  while (p < end && (*p == ' ' || *p == '\t')) p++;
  const bool negative = p < end && *p == '-';
  if (negative) p++;
  const char* digits = p;
  uint64_t value = 0;
  for (; p < end && *p >= '0' && *p <= '9'; p++)
    value = value * 10 + static_cast<uint64_t>(*p - '0');
  if (p == digits) return false;
  *at = p;
  *out = static_cast<int64_t>(negative ? 0 - value : value);
  return true;
}

// What is between the first '(' and the last ')': a process names itself, brackets, blanks and
// newlines included, but only numbers follow the name.
inline const char* copy_command(const char* text, const char* end, Process* out) {
  const auto* open = static_cast<const char*>(memchr(text, '(', static_cast<size_t>(end - text)));
  const char* close = end;
  while (close > text && *--close != ')') {
  }
  if (open == nullptr || close <= open) return nullptr;
  size_t size = static_cast<size_t>(close - open - 1);
  if (size >= sizeof out->command) size = sizeof out->command - 1;
  memcpy(out->command, open + 1, size);
  out->command[size] = '\0';
  return close + 1;
}

// All of /proc/PID/stat. rss comes in pages. False for text that is cut or no such thing.
inline bool parse_stat(const char* text, size_t size, Process* out) {
  const char* end = text + size;
  const char* at = copy_command(text, end, out);
  if (at == nullptr || end - at < 2 || at[0] != ' ') return false;
  out->state = at[1];
  at += 2;
  int64_t field[25];  // numbered as in proc_pid_stat(5)
  for (size_t i = 4; i <= 24; i++) {
    if (!parse_number(&at, end, &field[i])) return false;
  }
  out->parent = static_cast<pid_t>(field[4]);
  out->group = static_cast<pid_t>(field[5]);
  out->session = static_cast<pid_t>(field[6]);
  out->terminal = static_cast<uint32_t>(field[7]);
  out->flags = static_cast<uint32_t>(field[9]);
  out->cpu_ticks = static_cast<uint64_t>(field[14]) + static_cast<uint64_t>(field[15]);
  out->threads = static_cast<uint32_t>(field[20]);
  out->start_ticks = static_cast<uint64_t>(field[22]);
  out->virtual_size = static_cast<uint64_t>(field[23]);
  out->rss = field[24] > 0 ? static_cast<uint64_t>(field[24]) : 0;
  return true;
}

// /proc/PID/status in pieces of any size: a process may have 65,536 groups, all in one line above
// those that we want. The name in it is escaped by the kernel, so no line can be forged.
class StatusParser {
 public:
  explicit StatusParser(Process* out) : out_(out) {}

  void feed(const char* text, size_t size) {
    for (const char* end = text + size; text < end && !finished_;) {
      const auto* newline =
          static_cast<const char*>(memchr(text, '\n', static_cast<size_t>(end - text)));
      keep(text, newline == nullptr ? end : newline);
      if (newline == nullptr) return;
      take_line();
      used_ = 0;
      text = newline + 1;
    }
  }
  // Everything wanted has been seen.
  bool finished() const { return finished_; }

 private:
  // A line longer than the buffer is none of those that are looked for.
  void keep(const char* from, const char* to) {
    size_t size = static_cast<size_t>(to - from);
    if (size > sizeof line_ - used_) size = sizeof line_ - used_;
    memcpy(line_ + used_, from, size);
    used_ += size;
  }

  bool starts_with(const char* key, size_t size) const {
    return used_ > size && memcmp(line_, key, size) == 0;
  }

  // "Uid: real effective saved fs"
  uint32_t effective(const char* at) const {
    int64_t id = 0;
    for (int i = 0; i < 2; i++) {
      if (!parse_number(&at, line_ + used_, &id)) return UINT32_MAX;
    }
    return static_cast<uint32_t>(id);
  }

  // "NSpid: pid pid…", from the namespace of /proc inwards.
  void take_namespaces(const char* at) {
    int64_t pid = 0;
    while (parse_number(&at, line_ + used_, &pid)) {
      out_->levels++;
      if (out_->levels <= 2) out_->jail_pid = static_cast<pid_t>(pid);
    }
    finished_ = true;
  }

  void take_line() {
    if (starts_with("Uid:", 4)) out_->uid = effective(line_ + 4);
    if (starts_with("Gid:", 4)) out_->gid = effective(line_ + 4);
    if (starts_with("NSpid:", 6)) take_namespaces(line_ + 6);
  }

  Process* out_;
  char line_[512];
  size_t used_ = 0;
  bool finished_ = false;
};

}  // namespace dfjail
