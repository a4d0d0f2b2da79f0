// A jail's /etc/passwd and /etc/group, which its root writes: whom the monitor finds in them.
//
// Input: how the user is asked for, the name (16 bytes at most, up to a NUL), then passwd, a NUL
// and group.
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../native/monitor/backend.hh"

using dfjail::CommandSpec;
using dfjail::Identity;
using dfjail::Who;

namespace {

constexpr size_t kLongestName = 16;

int passwd = -1;
int group = -1;

int file_of(const uint8_t* bytes, size_t size) {
  const int fd = memfd_create("file", MFD_CLOEXEC);
  if (fd < 0 || write(fd, bytes, size) != static_cast<ssize_t>(size)) abort();
  return fd;
}

void look_at(const Identity& who) {
  if (who.group_count > dfjail::kMaxGroups) abort();
  if (strnlen(who.name, sizeof who.name) == sizeof who.name) abort();
  if (strnlen(who.home, sizeof who.home) == sizeof who.home) abort();
  if (strnlen(who.shell, sizeof who.shell) == sizeof who.shell) abort();
  // (uid_t)-1 means "as it was" to the system calls that it goes to.
  if (who.uid == UINT32_MAX || who.gid == UINT32_MAX) abort();
  for (size_t i = 0; i < who.group_count; i++) {
    if (who.groups[i] == UINT32_MAX) abort();
  }
}

void find(uint8_t how, const char* name) {
  dfjail::Jail jail;
  CommandSpec command;
  command.user_kind = static_cast<Who>(how % 3);
  command.user = name;
  command.uid = how >> 4;
  command.group_kind = static_cast<Who>(how / 3 % 3);
  command.group = name;
  command.gid = how >> 4;
  if (how % 2 == 0) command.flags = CommandSpec::kLogin;
  Identity who;
  dfjail::Error error;
  if (dfjail::find_identity(jail, command, &who, &error)) return look_at(who);
  if (!error.failed()) abort();
}

}  // namespace

namespace dfjail {

// In the place of the backend's: the files are those of the input.
int open_in_jail(const Jail&, const char* path) {
  const int fd = strcmp(path, "/etc/passwd") == 0 ? passwd : group;
  lseek(fd, 0, SEEK_SET);
  return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

}  // namespace dfjail

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  char name[kLongestName + 1] = "";
  size_t at = 1;
  for (size_t i = 0; i < kLongestName && at < size && data[at] != 0; i++)
    name[i] = static_cast<char>(data[at++]);
  if (at < size && data[at] == 0) at++;
  const auto* divide = static_cast<const uint8_t*>(memchr(data + at, 0, size - at));
  const size_t end = divide == nullptr ? size : static_cast<size_t>(divide - data);
  passwd = file_of(data + at, end - at);
  group = file_of(data + end, size - end);
  find(data[0], name);
  close(passwd);
  close(group);
  return 0;
}
