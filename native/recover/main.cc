// jail-recover: undoes what dead monitors left of their jails. Started by the addon, and by nobody
// else:
//
//   jail-recover STATE-DIRECTORY JID      (0: all)
//
// A program of its own since a child of it enters the jails that have to be ended, where the jail's
// root may look into that child's memory: it must not be a copy of somebody's Node.
//
// What it did goes to descriptor 3, records of nine texts that each end in a NUL: kind, jid, name
// or what, errno, code, call, step, path, detail. Kinds: jail (the following are of this one),
// undone, failed.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/registry.hh"
#include "../dragonfly/recover.hh"
#include "../monitor/backend.hh"

namespace dfjail {

// There are none here.
void forget_secrets(const CommandSpec*) {}

namespace {

constexpr int kReports = 3;
constexpr size_t kMaxJails = 4096;

struct Ids {
  uint32_t at[kMaxJails];
  size_t count = 0;
};

void send_text(const char* text) {
  const size_t size = strlen(text) + 1;
  for (size_t sent = 0; sent < size;) {
    const ssize_t n = write(kReports, text + sent, size - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody listens any more; the work goes on
    sent += static_cast<size_t>(n);
  }
}

void send_record(const char* kind, uint32_t jid, const char* what, const Error& error) {
  char number[16];
  char id[16];
  snprintf(id, sizeof id, "%u", jid);
  snprintf(number, sizeof number, "%d", error.number);
  const char* const texts[] = {kind,          id,         what,       number,      error.code,
                               error.syscall, error.step, error.path, error.detail};
  for (const char* text : texts) send_text(text);
}

void report(void* context, const char* what, const Error* error) {
  const uint32_t jid = *static_cast<const uint32_t*>(context);
  send_record(error == nullptr ? "undone" : "failed", jid, what, error ? *error : Error());
}

bool remember(void* context, uint32_t jid) {
  Ids* ids = static_cast<Ids*>(context);
  ids->at[ids->count++] = jid;
  return ids->count < kMaxJails;
}

void recover_one(int state, uint32_t jid) {
  static Entry entry;
  entry = Entry();
  read_entry(state, jid, &entry);
  send_record("jail", jid, entry.name, Error());
  Error error;
  Undoing undoing;
  undoing.report = report;
  undoing.context = &jid;
  const bool done = recover_jail(state, jid, undoing, &error);
  report(&jid, "registry entry", done ? nullptr : &error);
}

bool recover_all(const char* folder, uint32_t wanted, Error* error) {
  UniqueFd state;
  UniqueFd locks;
  if (!find_state(folder, &state, error)) return false;
  if (!state) return true;  // nobody has ever made a jail
  if (!open_locks(state.get(), &locks)) return fail(error, "", "open", folder);
  static Ids ids;
  each_jid(state.get(), remember, &ids);
  for (size_t i = 0; i < ids.count; i++) {
    const uint32_t jid = ids.at[i];
    if (wanted != 0 && wanted != jid) continue;
    if (!is_alive(locks.get(), jid, nullptr)) recover_one(state.get(), jid);
  }
  if (wanted == 0) sweep_names(state.get());
  return true;
}

}  // namespace
}  // namespace dfjail

int main(int argc, char** argv) {
  if (argc != 3 || fcntl(dfjail::kReports, F_SETFD, FD_CLOEXEC) < 0) {
    fputs("jail-recover is part of the dragonfly-jail package and is started by it\n", stderr);
    return 2;
  }
  closefrom(dfjail::kReports + 1);
  signal(SIGPIPE, SIG_IGN);
  dfjail::Error error;
  const auto jid = static_cast<uint32_t>(strtoul(argv[2], nullptr, 10));
  if (dfjail::recover_all(argv[1], jid, &error)) return 0;
  dfjail::send_record("failed", 0, "", error);
  return 1;
}
