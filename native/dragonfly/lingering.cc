#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/number.hh"
#include "../common/words.hh"
#include "anchor.hh"
#include "connections.hh"
#include "killing.hh"
#include "lingering.hh"
#include "processes.hh"
#include "sysctl.hh"

namespace dfjail {
namespace {

// Milliseconds for the kernel alone to let go, before it is asked for connections.
constexpr int kKernelPatience = 30;
constexpr int kConnectionsPause = 200;

// "jid hostname path address …" of this jid, as the kernel writes it. Cut where the entry has no
// more room.
bool parse_row(const char* row, uint32_t jid, Entry* entry) {
  uint32_t number = 0;
  if (!take_number(&row, &number) || number != jid || *row != ' ') return false;
  if (!take_word(&row, entry->hostname) || !take_word(&row, entry->path)) return false;
  entry->jid = jid;
  snprintf(entry->addresses, sizeof entry->addresses, "%s", row + strspn(row, " "));
  return true;
}

}  // namespace

bool is_held_by_connections(const Entry& entry) {
  return entry.addresses[0] != '\0' && count_living(entry.jid) == 0 &&
         has_ending_connection(entry.addresses);
}

bool wait_for_the_end(int state, const Entry& entry, int milliseconds) {
  if (wait_until_gone(entry.jid, kKernelPatience)) return true;
  for (int waited = kKernelPatience;; waited += kConnectionsPause) {
    if (is_held_by_connections(entry)) {
      note_lingering(state, entry);
      return true;
    }
    if (waited >= milliseconds) return false;
    if (wait_until_gone(entry.jid, kConnectionsPause)) return true;
  }
}

bool read_listed(uint32_t jid, Entry* entry) {
  Mib mib;
  size_t size = 0;
  bool found = false;
  if (!sysctl_find("jail.list", &mib)) return false;
  char* text = static_cast<char*>(sysctl_get_all(mib, 4096, &size));
  for (char* line = text; !found && line != nullptr && *line != '\0';) {
    char* end = strchr(line, '\n');
    if (end != nullptr) *end = '\0';
    found = parse_row(line, jid, entry);
    line = end == nullptr ? nullptr : end + 1;
  }
  free(text);
  return found;
}

}  // namespace dfjail
