#include "mount_table.hh"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../common/unique_fd.hh"

// See proc_pid_mountinfo(5).
namespace dfjail {
namespace {

// "\040" and the like, in place.
void decode(char* text) {
  const auto digit = [](char c) { return c >= '0' && c <= '7'; };
  char* out = text;
  while (*text != '\0') {
    if (text[0] == '\\' && digit(text[1]) && digit(text[2]) && digit(text[3])) {
      *out++ = static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
      text += 4;
    } else {
      *out++ = *text++;
    }
  }
  *out = '\0';
}

// ID PARENT MAJOR:MINOR ROOT TARGET OPTIONS [TAG]… - TYPE SOURCE OPTIONS
bool parse(char* line, MountRow* row) {
  char* rest = nullptr;
  char* fields[5];
  for (char*& field : fields) {
    field = strtok_r(line, " ", &rest);
    if (field == nullptr) return false;
    line = nullptr;
  }
  unsigned major_number = 0;
  unsigned minor_number = 0;
  if (sscanf(fields[2], "%u:%u", &major_number, &minor_number) != 2) return false;
  char* type = rest == nullptr ? nullptr : strstr(rest, " - ");
  if (type == nullptr) return false;
  decode(fields[4]);
  *row = {makedev(major_number, minor_number), fields[4], strtok_r(type + 3, " ", &rest)};
  return row->type != nullptr;
}

// Each line ends in it: names with line ends are encoded.
bool take_lines(char* text, size_t* size, bool (*visit)(void* context, const MountRow& row),
                void* context) {
  char* line = text;
  char* const end = text + *size;
  for (;;) {
    char* stop = static_cast<char*>(memchr(line, '\n', static_cast<size_t>(end - line)));
    if (stop == nullptr) break;
    *stop = '\0';
    MountRow row;
    if (!parse(line, &row)) {
      errno = EPROTO;
      return false;
    }
    if (!visit(context, row)) return false;
    line = stop + 1;
  }
  *size = static_cast<size_t>(end - line);
  memmove(text, line, *size);
  return true;
}

}  // namespace

bool each_mount(int procfs, bool (*visit)(void* context, const MountRow& row), void* context) {
  static char text[size_t{64} * 1024];
  const UniqueFd fd(openat(procfs, "self/mountinfo", O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  size_t size = 0;
  for (;;) {
    const ssize_t n = read(fd.get(), text + size, sizeof text - size);
    if (n <= 0) return n == 0 && size == 0;
    size += static_cast<size_t>(n);
    if (!take_lines(text, &size, visit, context)) return false;
    if (size < sizeof text) continue;
    errno = ENAMETOOLONG;
    return false;
  }
}

}  // namespace dfjail
