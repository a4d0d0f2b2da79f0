#include <stdio.h>

#include "anchor.hh"
#include "capabilities.hh"
#include "sysctl.hh"

namespace dfjail {

bool jail_seems_to_exist(uint32_t jid) {
  char name[64];
  snprintf(name, sizeof name, "jail.%u.sys_set_hostname", jid);
  return jid > kMaxNodeJid || sysctl_exists(name);
}

}  // namespace dfjail
