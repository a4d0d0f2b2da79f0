// An entry of the registry, which another version of this package may have written, or a full disk
// cut: what is understood of it can be written and is read as the same.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../native/common/registry.hh"

using dfjail::Entry;

namespace {

constexpr uint32_t kJid = 1;

int state = -1;
char folder[] = "/dev/shm/entry-fuzz-XXXXXX";  // in memory

void remove_state() {
  unlinkat(state, "jails/1/entry", 0);
  unlinkat(state, "jails/1", AT_REMOVEDIR);
  unlinkat(state, "jails", AT_REMOVEDIR);
  rmdir(folder);
}

void make_state() {
  if (mkdtemp(folder) == nullptr) abort();
  state = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (mkdirat(state, "jails", 0700) < 0 || mkdirat(state, "jails/1", 0700) < 0) abort();
  if (atexit(remove_state) != 0) abort();
}

void put(const uint8_t* bytes, size_t size) {
  const int fd = openat(state, "jails/1/entry", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, bytes, size) != static_cast<ssize_t>(size)) abort();
  close(fd);
}

bool ends(const char* text, size_t size) { return strnlen(text, size) < size; }

bool is_whole(const Entry& entry) {
  return ends(entry.name, sizeof entry.name) && ends(entry.hostname, sizeof entry.hostname) &&
         ends(entry.path, sizeof entry.path) && ends(entry.addresses, sizeof entry.addresses) &&
         ends(entry.scopeids, sizeof entry.scopeids) && ends(entry.limits, sizeof entry.limits) &&
         ends(entry.cgroup, sizeof entry.cgroup) && ends(entry.link, sizeof entry.link);
}

bool same_texts(const Entry& a, const Entry& b) {
  return strcmp(a.name, b.name) == 0 && strcmp(a.hostname, b.hostname) == 0 &&
         strcmp(a.path, b.path) == 0 && strcmp(a.addresses, b.addresses) == 0 &&
         strcmp(a.scopeids, b.scopeids) == 0 && strcmp(a.limits, b.limits) == 0 &&
         strcmp(a.cgroup, b.cgroup) == 0 && strcmp(a.link, b.link) == 0;
}

bool same_numbers(const Entry& a, const Entry& b) {
  return a.jid == b.jid && a.capabilities == b.capabilities && a.id_base == b.id_base &&
         a.id_count == b.id_count && a.persist == b.persist && a.stopping == b.stopping &&
         a.monitor == b.monitor && a.anchor == b.anchor && a.pid_namespace == b.pid_namespace;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (state < 0) make_state();
  static Entry entry;
  static Entry again;
  entry = Entry();
  again = Entry();
  put(data, size);
  if (!dfjail::read_entry(state, kJid, &entry)) return 0;
  if (!is_whole(entry)) abort();
  dfjail::Error error;
  if (!dfjail::write_entry(state, entry, &error)) abort();
  if (!dfjail::read_entry(state, kJid, &again)) abort();
  if (!same_texts(entry, again) || !same_numbers(entry, again)) abort();
  return 0;
}
