#include "mount_table.hh"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../common/number.hh"
#include "../common/unique_fd.hh"

namespace dfjail {
namespace {

constexpr size_t kFirstSize = size_t{64} * 1024;
// ID PARENT MAJOR:MINOR ROOT TARGET OPTIONS [TAG]… - TYPE SOURCE OPTIONS
constexpr size_t kFields = 5;

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// "\040" is a blank, in the place of which it is put.
void unescape(char* text) {
  char* out = text;
  for (const char* at = text; *at != '\0'; out++) {
    if (at[0] == '\\' && is_octal(at[1]) && is_octal(at[2]) && is_octal(at[3])) {
      *out = static_cast<char>((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
      at += 4;
    } else {
      *out = *at++;
    }
  }
  *out = '\0';
}

// The first fields of a line, and the type.
bool split(char* line, char* (&fields)[kFields], char** type) {
  for (char*& field : fields) {
    field = line;
    line = strchr(line, ' ');
    if (line == nullptr) return false;
    *line++ = '\0';
  }
  *type = strstr(line, " - ");
  if (*type == nullptr) return false;
  *type += 3;
  (*type)[strcspn(*type, " ")] = '\0';
  return true;
}

}  // namespace

MountTable::~MountTable() { free(text_); }

dev_t MountLine::number() const {
  const char* at = device;
  unsigned major_number = 0;
  unsigned minor_number = 0;
  if (!take_number(&at, &major_number) || *at++ != ':') return 0;
  return take_number(&at, &minor_number) ? makedev(major_number, minor_number) : 0;
}

bool MountTable::read(int procfs) {
  const char* path = procfs < 0 ? "/proc/self/mountinfo" : "self/mountinfo";
  const UniqueFd fd(openat(procfs < 0 ? AT_FDCWD : procfs, path, O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  for (size_t room = 0;;) {
    if (size_ == room) {
      room = room == 0 ? kFirstSize : room * 2;
      char* more = static_cast<char*>(realloc(text_, room + 1));
      if (more == nullptr) return false;
      text_ = more;
    }
    const ssize_t n = ::read(fd.get(), text_ + size_, room - size_);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) break;
    size_ += static_cast<size_t>(n);
  }
  text_[size_] = '\0';
  return true;
}

// The texts of the line are good until the next one is asked for.
bool MountTable::next(size_t* at, MountLine* line) const {
  while (*at < size_) {
    char* start = text_ + *at;
    char* end = static_cast<char*>(memchr(start, '\n', size_ - *at));
    if (end == nullptr) return false;
    *at = static_cast<size_t>(end - text_) + 1;
    static char copy[4096 * 10];
    const size_t length = static_cast<size_t>(end - start);
    if (length >= sizeof copy)
      continue;  // longer than two paths can be, with each byte of them written as four
    memcpy(copy, start, length);
    copy[length] = '\0';
    char* fields[kFields];
    char* type = nullptr;
    if (!split(copy, fields, &type)) continue;
    unescape(fields[3]);
    unescape(fields[4]);
    *line = {strtoull(fields[0], nullptr, 10), fields[2], fields[3], fields[4], type};
    return true;
  }
  return false;
}

bool MountTable::find(uint64_t id, MountLine* line) const {
  for (size_t at = 0; next(&at, line);) {
    if (line->id == id) return true;
  }
  return false;
}

uint64_t mount_of(int fd) {
  char path[48];
  char text[512];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  const UniqueFd info(open(path, O_RDONLY | O_CLOEXEC));
  const ssize_t n = info ? read(info.get(), text, sizeof text - 1) : -1;
  if (n <= 0) return 0;
  text[n] = '\0';
  const char* id = strstr(text, "mnt_id:");
  return id == nullptr ? 0 : strtoull(id + strlen("mnt_id:"), nullptr, 10);
}

}  // namespace dfjail
