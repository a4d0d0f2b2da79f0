#include <stdio.h>
#include <string.h>

#include "../monitor/describe.hh"
#include "anchor.hh"
#include "backend_state.hh"

namespace dfjail {
namespace {

// What this package knows of it, if it made the jail. Nobody has to have.
void look_up(Jail* jail, uint32_t jid) {
  UniqueFd locks;
  Entry* entry = &jail->entry;
  const bool ours = open_locks(jail->state.get(), &locks) && is_alive(locks.get(), jid, nullptr) &&
                    read_entry(jail->state.get(), jid, entry);
  if (!ours) *entry = Entry();
  entry->jid = jid;
  parse_limits(jail);
}

}  // namespace

bool attach_jail(const char* state_dir, uint32_t jid, Jail* jail, Error* error) {
  if (!open_state(state_dir, &jail->state, error)) return false;
  if (jid == 0 || jid > kMaxJid || !jail_exists(jid)) return no_such_jail(jid, error);
  look_up(jail, jid);
  jail->anchor = make_bell(false);
  if (!jail->anchor) return fail(error, "enter", "kqueue");
  add_guest_monitor(jail->state.get(), jid);
  return true;
}

}  // namespace dfjail
