#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "../common/error.hh"
#include "login_class.hh"
#include "spec.hh"

namespace dfjail {

struct Jail;

constexpr size_t kMaxGroups = 64;

// Who a command runs as, looked up in the jail's own files.
struct Identity {
  bool change = false;  // nobody asked for a user or group: root of the jail
  uid_t uid = 0;
  gid_t gid = 0;
  size_t group_count = 0;
  gid_t groups[kMaxGroups];
  char name[64] = "";
  char home[1024] = "";
  char shell[256] = "";
  ClassContext context;
};

// One line of a password file. Fields point into the line, which is cut up.
struct PasswdLine {
  const char* name;
  uid_t uid;
  gid_t gid;
  const char* home;
  const char* shell;
};

bool parse_passwd_line(char* line, PasswdLine* out);

// The login class in a line of master.passwd(5), which is cut up, if it is this user's; else null.
const char* class_in_line(char* line, const char* user);

struct GroupLine {
  const char* name;
  gid_t gid;
  char* members;  // separated by commas
};

bool parse_group_line(char* line, GroupLine* out);
bool has_member(const char* members, const char* name);

// Steps 'user' and 'group'; ERR_JAIL_UNKNOWN_USER, ERR_JAIL_UNKNOWN_GROUP.
bool find_identity(const Jail& jail, const CommandSpec& command, Identity* out, Error* error);

}  // namespace dfjail
