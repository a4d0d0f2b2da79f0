#include <signal.h>
#include <stdio.h>

#include "../common/steps.hh"
#include "anchor.hh"
#include "backend_state.hh"
#include "capabilities.hh"
#include "child.hh"
#include "killing.hh"
#include "ledger.hh"
#include "lingering.hh"
#include "processes.hh"

namespace dfjail {
namespace {

constexpr int kKillPatience = 5000;  // milliseconds
constexpr int kReapPatience = 1000;
// For the kernel to let go of each process's credentials: on two CPUs some second for a hundred.
constexpr int kMomentEach = 20;

// What a guest holds the jail by while it is being stopped.
UniqueFd& guest_hold() {
  static UniqueFd hold;
  return hold;
}

// False: the jail is gone.
bool hold(const Jail& jail) {
  if (jail.owned || guest_hold()) return true;
  guest_hold() = hold_jail(jail.entry.jid);
  // Inmates may keep us from getting in; killing them is worth the risk then.
  return guest_hold() || jail_exists(jail.entry.jid);
}

// The owner's monitor holds the jail and has set things up for it: it is asked to take the jail
// back.
void tell_owner(const Jail& jail) {
  UniqueFd locks;
  pid_t monitor = 0;
  if (!open_locks(jail.state.get(), &locks)) return;
  if (is_alive(locks.get(), jail.entry.jid, &monitor) && monitor > 1) kill(monitor, SIGTERM);
}

// A command ran in it.
bool was_used = false;

// What was asked to end is on its way out.
bool is_killed = false;

bool let_go(Jail* jail, Error* error) {
  const uint32_t jid = jail->entry.jid;
  if (jid > kMaxJid) {  // it has no jid in our books yet, and nobody was ever in it
    jail->lifeline.reset();
    return true;
  }
  const bool entered = static_cast<bool>(jail->lifeline);
  FsId ours[kMaxMounts];
  const size_t count = ledger_mounts(jail->state.get(), jid, ours, kMaxMounts);
  const Outside outside = {jail->entry.path, ours, count};
  if (entered) clear_jail(jid, outside, jail->patience);
  const bool deserted =
      !entered || !has_any(jid);  // else a zombie keeps it, however long it is waited for
  jail->lifeline.reset();
  const int patience = deserted ? jail->patience : kReapPatience / 4;
  if (wait_for_the_end(jail->state.get(), jail->entry, patience)) return true;
  fail(error, "release", "jail", jail->entry.path, EBUSY);
  describe_holders(jid, error->detail, sizeof error->detail);
  return false;
}

// Somebody else's jail: what he knows of it, else what the kernel does.
bool is_over(const Jail& jail) {
  const uint32_t jid = jail.entry.jid;
  if (is_lingering(jail.state.get(), jid)) return true;
  if (jail.entry.monitor > 0) return false;
  static Entry listed;
  if (!read_listed(jid, &listed) || !is_held_by_connections(listed)) return false;
  note_lingering(jail.state.get(), listed);
  return true;
}

}  // namespace

bool change_capabilities(Jail* jail, uint32_t capabilities, Error* error) {
  if (!check_capabilities(capabilities, error)) return false;
  if (!write_capabilities(jail->entry.jid, capabilities, error)) return false;
  jail->entry.capabilities = capabilities;
  return true;
}

// For lists the kernel's own says what there is.
void tell_activity(const Jail&, bool running, bool) { was_used = was_used || running; }

// A listing that failed does not say so: then waiting goes on until the deadline.
bool is_empty(const Jail& jail) { return !hold(jail) || count_living(jail.entry.jid) == 0; }

void signal_jail_processes(const Jail& jail, int signal) {
  if (hold(jail)) signal_all(jail.entry.jid, signal);
}

void kill_jail(Jail* jail) {
  const uint32_t jid = jail->entry.jid;
  is_killed = true;
  // What commands, of other programs too, had started may have ended just now, unseen.
  if (was_used || jail->entry.persist) note_inside();
  if (hold(*jail)) {
    const int crowd = count_living(jid);
    if (crowd > 0) jail->patience += crowd * kMomentEach;
    kill_all(jid, kKillPatience);
  }
  if (jail->owned) return ring(jail->anchor);
  tell_owner(*jail);
  if (guest_hold()) wait_until_deserted(jid, kReapPatience);
  guest_hold().reset();
  hurry(jail->anchor);
}

bool has_ended(Jail* jail) {
  silence(jail->anchor);
  if (jail->owned || !jail_seems_to_exist(jail->entry.jid)) return true;
  return !jail_exists(jail->entry.jid) || (is_killed && is_over(*jail));
}

bool undo_jail(Jail* jail, Error* error) {
  const bool gone = let_go(jail, error);
  step_done("release");
  const int state = jail->state.get();
  Error ledger_error;
  jail->root.reset();
  const bool undone = undo_ledger(state, jail->entry.jid, Undoing(), &ledger_error);
  if (!undone && gone) *error = ledger_error;
  // What could not be undone stays written down, in a folder without a living monitor: recover()
  // tries again.
  if (undone) unregister_jail(state, jail->entry);
  step_done("register");
  jail->locks.reset();
  return gone && undone;
}

bool is_undone(const Jail& jail) {
  Entry entry;
  UniqueFd locks;
  if (jail_exists(jail.entry.jid)) return is_over(jail);
  if (!open_locks(jail.state.get(), &locks)) return true;
  return !is_alive(locks.get(), jail.entry.jid, nullptr) ||
         !read_entry(jail.state.get(), jail.entry.jid, &entry);
}

}  // namespace dfjail
