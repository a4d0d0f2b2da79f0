#include "lingering.hh"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/number.hh"
#include "anchor.hh"
#include "boot.hh"

namespace dfjail {
namespace {

constexpr const char* kFolder = "lingering";
constexpr size_t kName = 128;

// Jids start again with each boot.
bool file_name(uint32_t jid, char (&name)[kName]) {
  char boot[48];
  if (!boot_id(boot, sizeof boot)) return false;
  snprintf(name, sizeof name, "%s/%u@%s", kFolder, jid, boot);
  return true;
}

struct Round {
  int state;
  char boot[48];
  bool (*visit)(void* context, const Entry& entry);
  void* context;
};

bool begin(Round* round, int state) {
  round->state = state;
  return boot_id(round->boot, sizeof round->boot);
}

// The jid of a note of this boot; 0: it is none.
uint32_t jid_of(const Round& round, const char* name) {
  uint32_t jid = 0;
  const char* at = name;
  if (!take_number(&at, &jid) || *at != '@' || strcmp(at + 1, round.boot) != 0) return 0;
  return jid;
}

void full_name(const char* name, char (&path)[kName]) {
  snprintf(path, sizeof path, "%s/%s", kFolder, name);
}

bool sweep_one(void* context, const char* name) {
  const Round* round = static_cast<Round*>(context);
  char path[kName];
  const uint32_t jid = jid_of(*round, name);
  if (jid != 0 && jail_seems_to_exist(jid)) return true;
  full_name(name, path);
  unlinkat(round->state, path, 0);
  return true;
}

bool visit_one(void* context, const char* name) {
  const Round* round = static_cast<Round*>(context);
  char path[kName];
  Entry entry;
  const uint32_t jid = jid_of(*round, name);
  full_name(name, path);
  if (jid == 0 || !jail_seems_to_exist(jid)) return true;
  if (!read_entry_from(round->state, path, &entry) || entry.jid != jid) return true;
  return round->visit(round->context, entry);
}

}  // namespace

void note_lingering(int state, const Entry& entry) {
  char name[kName];
  Error ignored;
  if (!file_name(entry.jid, name)) return;
  mkdirat(state, kFolder, 0755);
  write_entry_to(state, name, entry, &ignored);
}

bool is_lingering(int state, uint32_t jid) {
  char name[kName];
  struct stat info;
  return file_name(jid, name) && fstatat(state, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

void forget_lingering(int state, uint32_t jid) {
  char name[kName];
  if (file_name(jid, name)) unlinkat(state, name, 0);
}

void sweep_lingering(int state) {
  Round round = {};
  if (begin(&round, state)) each_file(state, kFolder, sweep_one, &round);
}

void each_lingering(int state, bool (*visit)(void* context, const Entry& entry), void* context) {
  Round round = {};
  if (!begin(&round, state)) return;
  round.visit = visit;
  round.context = context;
  each_file(state, kFolder, visit_one, &round);
}

}  // namespace dfjail
