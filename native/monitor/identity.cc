#include "identity.hh"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.hh"
#include "jail_file.hh"

namespace dfjail {
namespace {

char* cut(char** rest) {
  char* start = *rest;
  char* colon = start == nullptr ? nullptr : strchr(start, ':');
  if (colon != nullptr) *colon = '\0';
  *rest = colon == nullptr ? nullptr : colon + 1;
  return start;
}

bool parse_id(const char* text, uint32_t* id) {
  if (text == nullptr || text[0] < '0' || text[0] > '9') return false;
  char* end;
  const unsigned long long value = strtoull(text, &end, 10);
  if (*end != '\0' || value >= 0xFFFFFFFFULL) return false;
  *id = static_cast<uint32_t>(value);
  return true;
}

void take(const PasswdLine& line, Identity* out) {
  out->uid = line.uid;
  out->gid = line.gid;
  snprintf(out->name, sizeof out->name, "%s", line.name);
  snprintf(out->home, sizeof out->home, "%s", line.home);
  snprintf(out->shell, sizeof out->shell, "%s", line.shell);
}

bool find_user(const Jail& jail, const CommandSpec& command, Identity* out) {
  JailFile file(jail, "/etc/passwd");
  const bool by_name = command.user_kind == Who::kName;
  while (char* text = file.line()) {
    PasswdLine line;
    if (!parse_passwd_line(text, &line)) continue;
    if (by_name ? strcmp(line.name, command.user) != 0 : line.uid != command.uid) continue;
    take(line, out);
    return true;
  }
  return false;
}

bool find_group(const Jail& jail, const char* name, gid_t* gid) {
  JailFile file(jail, "/etc/group");
  while (char* text = file.line()) {
    GroupLine line;
    if (!parse_group_line(text, &line) || strcmp(line.name, name) != 0) continue;
    *gid = line.gid;
    return true;
  }
  return false;
}

bool has_group(const Identity& who, gid_t gid) {
  for (size_t i = 0; i < who.group_count; i++) {
    if (who.groups[i] == gid) return true;
  }
  return false;
}

void find_supplementary_groups(const Jail& jail, Identity* out) {
  out->groups[out->group_count++] = out->gid;
  if (out->name[0] == '\0') return;
  JailFile file(jail, "/etc/group");
  while (char* text = file.line()) {
    GroupLine line;
    if (out->group_count == kMaxGroups) return;
    if (!parse_group_line(text, &line) || has_group(*out, line.gid)) continue;
    if (has_member(line.members, out->name)) out->groups[out->group_count++] = line.gid;
  }
}

void take_given_groups(const CommandSpec& command, Identity* out) {
  out->groups[out->group_count++] = out->gid;
  for (size_t i = 0; i < command.group_count; i++) {
    if (command.groups[i] != out->gid) out->groups[out->group_count++] = command.groups[i];
  }
}

bool choose_user(const Jail& jail, const CommandSpec& command, Identity* out, Error* error) {
  if (find_user(jail, command, out)) return true;
  if (command.user_kind == Who::kId) {  // a number needs no entry
    out->uid = command.uid;
    out->gid = command.uid;
    return true;
  }
  return fail_with_code(error, "user", "ERR_JAIL_UNKNOWN_USER", command.user,
                        "The jail's own /etc/passwd has no such user.");
}

bool choose_group(const Jail& jail, const CommandSpec& command, Identity* out, Error* error) {
  if (command.group_kind == Who::kNone) return true;
  if (command.group_kind == Who::kId) {
    out->gid = command.gid;
    return true;
  }
  if (find_group(jail, command.group, &out->gid)) return true;
  return fail_with_code(error, "group", "ERR_JAIL_UNKNOWN_GROUP", command.group,
                        "The jail's own /etc/group has no such group.");
}

}  // namespace

bool parse_passwd_line(char* line, PasswdLine* out) {
  char* rest = line;
  out->name = cut(&rest);
  cut(&rest);
  const char* uid = cut(&rest);
  const char* gid = cut(&rest);
  cut(&rest);
  const char* home = cut(&rest);
  const char* shell = cut(&rest);
  if (out->name == nullptr || out->name[0] == '\0' || home == nullptr) return false;
  out->home = home;
  out->shell = shell == nullptr ? "" : shell;
  return parse_id(uid, &out->uid) && parse_id(gid, &out->gid);
}

const char* class_in_line(char* line, const char* user) {
  char* rest = line;
  const char* name = cut(&rest);
  for (int field = 0; field < 3; field++) cut(&rest);
  const char* login_class = cut(&rest);
  // What is shorter is a line of passwd(5).
  if (login_class == nullptr || rest == nullptr || strcmp(name, user) != 0) return nullptr;
  return login_class;
}

bool parse_group_line(char* line, GroupLine* out) {
  char* rest = line;
  out->name = cut(&rest);
  cut(&rest);
  const char* gid = cut(&rest);
  out->members = cut(&rest);
  if (out->members == nullptr || out->name == nullptr || out->name[0] == '\0') return false;
  return parse_id(gid, &out->gid);
}

bool has_member(const char* members, const char* name) {
  const size_t n = strlen(name);
  for (const char* at = members; at != nullptr && *at != '\0';) {
    const char* comma = strchr(at, ',');
    const size_t length = comma == nullptr ? strlen(at) : static_cast<size_t>(comma - at);
    if (length == n && strncmp(at, name, n) == 0) return true;
    at = comma == nullptr ? nullptr : comma + 1;
  }
  return false;
}

bool find_identity(const Jail& jail, const CommandSpec& command, Identity* out, Error* error) {
  const bool login = (command.flags & CommandSpec::kLogin) != 0;
  const bool groups_given = (command.flags & CommandSpec::kGroups) != 0;
  out->change = command.user_kind != Who::kNone || command.group_kind != Who::kNone || groups_given;
  if (!out->change && !login) return true;
  if (command.user_kind != Who::kNone && !choose_user(jail, command, out, error)) return false;
  if (command.user_kind == Who::kNone)
    find_user(jail, command, out);  // uid 0: login's home and shell
  if (!choose_group(jail, command, out, error)) return false;
  if (groups_given) {
    take_given_groups(command, out);
  } else {
    find_supplementary_groups(jail, out);
  }
  return true;
}

}  // namespace dfjail
