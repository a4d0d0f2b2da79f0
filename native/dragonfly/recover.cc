#include "recover.hh"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "../common/registry.hh"
#include "../monitor/spec.hh"
#include "anchor.hh"
#include "boot.hh"
#include "killing.hh"
#include "lingering.hh"
#include "processes.hh"

namespace dfjail {
namespace {

constexpr int kGonePatience = 3000;  // milliseconds
constexpr int kReapPatience = 1000;

// Held while recovering: two programs at a time would only get in each other's way.
UniqueFd take_turn(int state) {
  UniqueFd fd(openat(state, "recovering", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  while (fd && flock(fd.get(), LOCK_EX) < 0 && errno == EINTR) {
  }
  return fd;
}

// Was the ledger written since the last restart? Jids start at 1 again with each, so only then is
// the jid ours.
bool is_of_this_boot(int state, uint32_t id) {
  char boot[48];
  char first[64] = "";
  UniqueFd ledger;
  Error ignored;
  if (!open_ledger(state, id, &ledger, &ignored) || !boot_id(boot, sizeof boot)) return false;
  const ssize_t n = pread(ledger.get(), first, sizeof first - 1, 0);
  const size_t length = strlen(boot);
  return n > 5 && strncmp(first, "boot ", 5) == 0 && strncmp(first + 5, boot, length) == 0 &&
         first[5 + length] == '\n';
}

void report(const Undoing& undoing, const char* what, const Error* error) {
  if (undoing.report != nullptr) undoing.report(undoing.context, what, error);
}

bool end_jail(int state, uint32_t jid, const Undoing& undoing, Error* error) {
  if (jid > kMaxJid || !jail_exists(jid)) return true;
  static Entry entry;
  entry = Entry();
  const bool known = read_entry(state, jid, &entry);
  UniqueFd hold = hold_jail(jid);
  FsId ours[kMaxMounts];
  const Outside outside = {entry.path, ours, ledger_mounts(state, jid, ours, kMaxMounts)};
  clear_jail(jid, outside, kReapPatience);  // also when inmates kept us from getting in
  hold.reset();
  char what[32];
  snprintf(what, sizeof what, "jail %u", jid);
  if (!known) entry.jid = jid;
  if (wait_for_the_end(state, entry, kGonePatience)) {
    report(undoing, what, nullptr);
    return true;
  }
  fail(error, "release", "jail", what, EBUSY);
  describe_holders(jid, error->detail, sizeof error->detail);
  report(undoing, what, error);
  return false;
}

}  // namespace

bool recover_jail(int state, uint32_t id, const Undoing& undoing, Error* error) {
  const UniqueFd turn = take_turn(state);
  UniqueFd locks;
  if (!turn || !open_locks(state, &locks)) return fail(error, "recover", "open", "locks");
  if (is_alive(locks.get(), id, nullptr)) return true;
  const bool gone = !is_of_this_boot(state, id) || end_jail(state, id, undoing, error);
  Error ledger_error;
  const bool undone = undo_ledger(state, id, undoing, &ledger_error);
  if (!undone && gone) *error = ledger_error;
  if (!gone || !undone) return false;
  return sweep_jail(state, id, error);
}

}  // namespace dfjail
