#include "capabilities.hh"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../monitor/spec.hh"
#include "sysctl.hh"

namespace dfjail {
namespace {

constexpr const char* kStep = "capabilities";

struct Node {
  uint32_t bit;
  const char* of_jail;     // jail.<jid>.…
  const char* of_default;  // jail.defaults.…
  const char* of_all;      // jail.…, up to 5.6; null: not there
};

constexpr Node kNodes[] = {
    {kSetHostname, "sys_set_hostname", "set_hostname_allowed", "set_hostname_allowed"},
    {kSysvIpc, "sys_sysvipc", "sysvipc_allowed", "sysvipc_allowed"},
    {kRawSockets, "net_raw_sockets", "allow_raw_sockets", "allow_raw_sockets"},
    {kUnixIpRouteOnly, "net_unixiproute", "socket_unixiproute_only", "socket_unixiproute_only"},
    {kListenOverride, "allow_listen_override", "allow_listen_override", nullptr},
    {kChflags, "vfs_chflags", "chflags_allowed", "chflags_allowed"},
    {kMountNullfs, "vfs_mount_nullfs", "vfs_mount_nullfs", nullptr},
    {kMountTmpfs, "vfs_mount_tmpfs", "vfs_mount_tmpfs", nullptr},
    {kMountDevfs, "vfs_mount_devfs", "vfs_mount_devfs", nullptr},
    {kMountProcfs, "vfs_mount_procfs", "vfs_mount_procfs", nullptr},
    {kMountFusefs, "vfs_mount_fusefs", "vfs_mount_fusefs", nullptr},
};

bool has_defaults() { return sysctl_exists("jail.defaults.set_hostname_allowed"); }

void jail_node(char (&name)[96], uint32_t jid, const char* leaf) {
  snprintf(name, sizeof name, "jail.%u.%s", jid, leaf);
}

bool unsupported(const char* what, const char* why, Error* error) {
  return fail_with_code(error, kStep, "ERR_JAIL_UNSUPPORTED", what, why);
}

// Recorded on 5.9 with two CPUs; the code is the same from 5.4 on.
bool hostname_write_hangs() {
  int version = 0;
  return sysctl_get_int("kern.osreldate", &version) && version >= 500400 && version < 600000;
}

// One switch for all jails, which is not ours to change.
bool check_old_switch(const Node& node, uint32_t wanted, Error* error) {
  char name[96];
  int value = 0;
  const bool on = (wanted & node.bit) != 0;
  if (node.of_all != nullptr) snprintf(name, sizeof name, "jail.%s", node.of_all);
  if (node.of_all != nullptr) sysctl_get_int(name, &value);
  if ((value != 0) == on) return true;
  return unsupported(node.of_jail,
                     "This kernel has no capabilities of single jails, only switches for all of "
                     "them: set them with sysctl jail.*, or use DragonFly 5.8 or newer.",
                     error);
}

bool check_node(const Node& node, uint32_t wanted, Error* error) {
  char name[96];
  snprintf(name, sizeof name, "jail.defaults.%s", node.of_default);
  if ((wanted & node.bit) == 0 || sysctl_exists(name)) return true;
  return unsupported(node.of_jail, "This kernel has no such capability.", error);
}

// A jid of six digits has a node named by its first five. Its jail might come before ours in the
// tree.
bool shares_node(uint32_t jid) {
  Mib mib;
  size_t size = 0;
  if (jid < 10000 || !sysctl_find("jail.list", &mib)) return false;
  char* text = static_cast<char*>(sysctl_get_all(mib, 4096, &size));
  char digits[16];
  const size_t n = static_cast<size_t>(snprintf(digits, sizeof digits, "%u", jid));
  bool shared = false;
  for (const char* line = text; line != nullptr && *line != '\0';) {
    if (strncmp(line, digits, n) == 0 && line[n] >= '0' && line[n] <= '9') shared = true;
    line = strchr(line, '\n');
    if (line != nullptr) line++;
  }
  free(text);
  return shared;
}

bool read_nodes(uint32_t jid, uint32_t* out) {
  *out = 0;
  bool any = false;
  for (const Node& node : kNodes) {
    char name[96];
    int value = 0;
    jail_node(name, jid, node.of_jail);
    if (jid == 0) snprintf(name, sizeof name, "jail.defaults.%s", node.of_default);
    if (!sysctl_get_int(name, &value)) continue;
    any = true;
    if (value != 0) *out |= node.bit;
  }
  return any;
}

// Nothing can be written: it has to be what it was made with.
bool defaults_will_do(uint32_t wanted, const char* why, Error* error) {
  uint32_t defaults = 0;
  if (!has_defaults()) return true;  // check_capabilities compared with the switches for all
  if (read_default_capabilities(&defaults) && defaults == wanted) return true;
  return unsupported("", why, error);
}

}  // namespace

bool check_capabilities(uint32_t wanted, Error* error) {
  if ((wanted & kSetHostname) == 0 && hostname_write_hangs()) {
    return unsupported("setHostname",
                       "On DragonFly 5.4 to 5.9 a jail without this capability can hang sysctl on "
                       "the whole host by trying to set its hostname: leave it on.",
                       error);
  }
  const bool per_jail = has_defaults();
  for (const Node& node : kNodes) {
    const bool ok =
        per_jail ? check_node(node, wanted, error) : check_old_switch(node, wanted, error);
    if (!ok) return false;
  }
  return true;
}

bool write_capabilities(uint32_t jid, uint32_t wanted, Error* error) {
  if (jid > kMaxNodeJid) {
    return defaults_will_do(wanted,
                            "Jails with an id above 99,999 cannot be given capabilities of their "
                            "own (their node would be another jail's): set jail.defaults.* to "
                            "what is wanted, or restart the host.",
                            error);
  }
  if (!has_defaults()) return defaults_will_do(wanted, "", error);
  if (shares_node(jid)) {
    return defaults_will_do(wanted,
                            "Another jail, with an id above 99,999, shares the node of this one: "
                            "set jail.defaults.* to what is wanted, or try again.",
                            error);
  }
  for (const Node& node : kNodes) {
    char name[96];
    jail_node(name, jid, node.of_jail);
    if (sysctl_set_int(name, (wanted & node.bit) != 0 ? 1 : 0)) continue;
    const bool lacking = errno == ENOENT && (wanted & node.bit) == 0;
    if (!lacking) return fail(error, kStep, "sysctl", name);
  }
  return true;
}

bool read_capabilities(uint32_t jid, uint32_t* out) {
  return jid >= 1 && jid <= kMaxNodeJid && read_nodes(jid, out);
}

bool read_default_capabilities(uint32_t* out) { return read_nodes(0, out); }

}  // namespace dfjail
