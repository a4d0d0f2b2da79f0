#include <stdio.h>
#include <string.h>

#include "anchor.hh"
#include "backend_state.hh"

namespace dfjail {
namespace {

bool not_found(uint32_t jid, Error* error) {
  char text[16];
  snprintf(text, sizeof text, "%u", jid);
  return fail_with_code(error, "enter", "ERR_JAIL_NOT_FOUND", text, "No running jail has this id.");
}

void parse_limits(Jail* jail) {
  const char* at = jail->entry.limits;
  while (at != nullptr && *at != '\0' && jail->limit_count < kMaxLimits) {
    unsigned resource;
    unsigned long long soft;
    unsigned long long hard;
    if (sscanf(at, "%u:%llu:%llu", &resource, &soft, &hard) != 3) return;
    jail->limits[jail->limit_count++] = {resource, soft, hard};
    at = strchr(at, ' ');
    if (at != nullptr) at++;
  }
}

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
  if (jid == 0 || jid > kMaxJid || !jail_exists(jid)) return not_found(jid, error);
  look_up(jail, jid);
  jail->anchor = make_bell(false);
  if (!jail->anchor) return fail(error, "enter", "kqueue");
  add_guest_monitor(jail->state.get(), jid);
  return true;
}

}  // namespace dfjail
