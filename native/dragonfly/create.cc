#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/listing.hh"
#include "../common/steps.hh"
#include "../monitor/describe.hh"
#include "alias.hh"
#include "alias_book.hh"
#include "anchor.hh"
#include "backend_state.hh"
#include "capabilities.hh"
#include "jail_mounts.hh"
#include "ledger.hh"
#include "lingering.hh"
#include "mounts_before.hh"
#include "sysctl.hh"

// How a jail is made on DragonFly. docs/dragonfly.md has the order and the reasons.
namespace dfjail {
namespace {

struct Making {
  const JailSpec* spec = nullptr;
  Jail* jail = nullptr;
  UniqueFd ledger;
  char state_path[PATH_MAX] = "";
  uint32_t interface_index = 0;
  Address addresses[kMaxAddresses];
};

// ---- what can be known before anything is done: a jail(2) that fails leaves references in the
// kernel

bool may_make_jails(Error* error) {
  int jailed = 0;
  if (geteuid() != 0) return fail(error, "privilege", "jail", "", EPERM);
  if (!sysctl_get_int("jail.jailed", &jailed) || jailed == 0) return true;
  return fail_with_code(error, "privilege", "ERR_JAIL_UNSUPPORTED", "",
                        "A process in a jail can neither make nor enter jails.");
}

bool resolve_root(const JailSpec& spec, Jail* jail, Error* error) {
  static char path[PATH_MAX];
  struct stat info;
  if (realpath(spec.path, path) == nullptr) return fail(error, "root", "realpath", spec.path);
  if (!is_plain_line(path)) return fail(error, "root", "realpath", spec.path, EINVAL);
  jail->root.reset(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!jail->root || fstat(jail->root.get(), &info) < 0) {
    return fail(error, "root", "open", spec.path);
  }
  snprintf(jail->entry.path, sizeof jail->entry.path, "%s", path);
  return true;
}

bool describe_network(Making* m, Error* error) {
  const JailSpec& spec = *m->spec;
  if (!describe_addresses(spec, m->addresses, &m->jail->entry, error)) return false;
  if (spec.interface[0] == '\0') return true;
  m->interface_index = if_nametoindex(spec.interface);
  return m->interface_index != 0 || fail(error, "address", "if_nametoindex", spec.interface, ENXIO);
}

bool check_limits(const JailSpec& spec, Error* error) {
  if (spec.memory == kUnlimited && spec.processes == kUnlimited) return true;
  return fail_with_code(error, "limits", "ERR_JAIL_UNSUPPORTED", "",
                        "DragonFly has no limit on the memory or the processes of a whole jail: "
                        "limit single processes (as, nproc), or run the commands as another user.");
}

bool check_hostname(const JailSpec& spec, Error* error) {
  const size_t n = strlen(spec.hostname);
  if (n > 0 && n < MAXHOSTNAMELEN && strpbrk(spec.hostname, " \t\n") == nullptr) return true;
  return fail(error, "hostname", "jail", spec.hostname, EINVAL);
}

bool check_listing(const Making& m, Error* error) {
  const JailSpec& spec = *m.spec;
  const bool may_rename = (spec.capabilities & kSetHostname) != 0;
  if (may_rename &&
      !leaves_room_for_hostname(m.jail->entry.path, m.addresses, spec.address_count)) {
    return fail_with_code(error, "jail", "ERR_JAIL_LIMIT", m.jail->entry.path,
                          "With a hostname of 255 bytes, which the jail may give itself, path and "
                          "addresses take more "
                          "than the 1 KiB that the kernel's list of jails has for a jail: use a "
                          "shorter path or fewer "
                          "addresses.");
  }
  if (fits_listing(m.jail->entry.path, spec.hostname, m.addresses, spec.address_count)) return true;
  return fail_with_code(
      error, "jail", "ERR_JAIL_LIMIT", m.jail->entry.path,
      "Path, hostname and addresses together take more than the 1 KiB that the kernel's list of "
      "jails has for a jail, "
      "which would break the list for everybody: use a shorter path or fewer addresses.");
}

Place place_of(const Making& m) {
  const Jail& jail = *m.jail;
  return {jail.root.get(), jail.entry.path, jail.state.get(), m.state_path, jail.entry.jid};
}

bool check(Making* m, Error* error) {
  const JailSpec& spec = *m->spec;
  Entry& entry = m->jail->entry;
  copy_text(entry.hostname, spec.hostname);
  copy_text(entry.name, spec.name);
  entry.capabilities = spec.capabilities;
  entry.persist = (spec.flags & JailSpec::kPersist) != 0;
  describe_limits(spec, m->jail);
  return check_hostname(spec, error) && describe_network(m, error) && check_listing(*m, error) &&
         check_limits(spec, error) && check_capabilities(spec.capabilities, error) &&
         check_mounts(spec, place_of(*m), error);
}

// ---- on the host

bool add_alias(const Making& m, size_t i, Error* error) {
  const char* text = m.spec->addresses[i];
  const Address& address = m.addresses[i];
  const UniqueFd turn = lock_aliases(error);
  if (!turn || !note_registry(m.state_path, error)) return false;
  bool has = false;
  if (!host_has_address(address, &has)) return fail(error, "address", "getifaddrs", text);
  const bool shared =
      has && is_shared_alias(m.jail->state.get(), m.jail->entry.jid, m.spec->interface, address);
  if (has && !shared) return true;  // it was there before and stays
  const bool link_local =
      address.family == AF_INET6 && address.bytes[0] == 0xFE && (address.bytes[1] & 0xC0) == 0x80;
  const uint32_t scope = link_local ? m.interface_index : 0;
  char line[128];
  off_t before;
  snprintf(line, sizeof line, "%u %s %s", scope, m.spec->interface, text);
  if (!write_ledger(m.ledger.get(), "alias", line, &before, error)) return false;
  if (shared || alias_add(m.spec->interface, address, scope)) return true;
  const int number = errno;
  cut_ledger(m.ledger.get(), before);
  return fail(error, "address", "ioctl", text, number);
}

bool set_up_host(const Making& m, Error* error) {
  const JailSpec& spec = *m.spec;
  for (size_t i = 0; spec.interface[0] != '\0' && i < spec.address_count; i++) {
    if (!add_alias(m, i, error)) return false;
    step_done("address");
  }
  for (size_t i = 0; i < spec.mount_count; i++) {
    if (!mount_in_root(place_of(m), m.ledger.get(), spec.mounts[i], error)) return false;
    step_done("mount");
  }
  return true;
}

bool open_books(Making* m, Error* error) {
  Jail* jail = m->jail;
  if (!register_pending(jail->state.get(), &jail->entry, &jail->locks, error)) return false;
  jail->owned = true;
  sweep_lingering(jail->state.get());
  if (!open_ledger(jail->state.get(), jail->entry.jid, &m->ledger, error)) return false;
  return begin_ledger(m->ledger.get(), error) && write_entry(jail->state.get(), jail->entry, error);
}

// Everything that may need undoing is in the ledger, jail->entry and its handles as soon as it is
// done.
bool make_jail(Making* m, Error* error) {
  Jail* jail = m->jail;
  const JailSpec& spec = *m->spec;
  jail->entry.monitor = getpid();
  if (!may_make_jails(error)) return false;
  step_done("privilege");
  if (!open_state(spec.state_dir, &jail->state, error)) return false;
  if (realpath(spec.state_dir, m->state_path) == nullptr) {
    return fail(error, "register", "realpath", spec.state_dir);
  }
  if (!resolve_root(spec, jail, error) || !check(m, error)) return false;
  step_done("root");
  if (!open_books(m, error)) return false;
  note_mounts_before();
  step_done("register");
  if (!set_up_host(*m, error)) return false;
  uint32_t jid = 0;
  // From the entry: the child wipes the message that the spec lies in.
  if (!raise_jail(jail->entry.path, jail->entry.hostname, m->addresses, spec.address_count,
                  &jail->lifeline, &jid, error)) {
    return false;
  }
  if (!settle_jid(jail->state.get(), &jail->entry, jail->locks.get(), jid, error)) return false;
  forget_lingering(jail->state.get(), jid);
  step_done("jail");
  if (!write_capabilities(jid, spec.capabilities, error)) return false;
  step_done("capabilities");
  jail->anchor = make_bell(true);
  if (!jail->anchor) return fail(error, "ready", "kqueue");
  return write_entry(jail->state.get(), jail->entry, error);
}

}  // namespace

bool create_jail(const JailSpec& spec, Jail* jail, Error* error) {
  static Making m;
  m.spec = &spec;
  m.jail = jail;
  if (make_jail(&m, error)) {
    m.ledger.reset();
    return true;
  }
  Error ignored;
  m.ledger.reset();
  if (jail->owned) undo_jail(jail, &ignored);
  jail->owned = false;
  return false;
}

}  // namespace dfjail
