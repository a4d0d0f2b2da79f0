#include "calls.hh"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <net/if.h>

#include "../../dragonfly/abi.hh"
#include "../../dragonfly/alias.hh"
#include "../../dragonfly/anchor.hh"
#include "../../dragonfly/capabilities.hh"
#include "../../dragonfly/devfs_rules.hh"
#include "../../dragonfly/jail_calls.hh"
#include "../../dragonfly/killing.hh"
#include "../../dragonfly/mount.hh"
#include "../../dragonfly/processes.hh"
#include "../../dragonfly/sysctl.hh"
#include "../../monitor/spec.hh"
#include "../client.hh"
#include "../tap.hh"

namespace selftest {
namespace {

using dfjail::Address;
using dfjail::Error;
using dfjail::Mib;
using dfjail::UniqueFd;

constexpr int kSuccess = 200;

// What a call answers that changes its process for good: errno, or kSuccess.
template <typename Call>
int in_child(Call call) {
  const pid_t child = fork();
  if (child == 0) {
    const int result = call();
    _exit(result >= 0 ? kSuccess : errno);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void test_jail_call(const Root& root, bool fast) {
  static char name[300];
  memset(name, 'h', 299);
  is(in_child([&] { return dfjail::jail_create("/nonexistent", "x", nullptr, 0); }), ENOENT,
     "jail: a missing path is ENOENT");
  is(in_child([&] { return dfjail::jail_create(below(root.path, "selftest"), "x", nullptr, 0); }),
     ENOTDIR, "jail: a file is ENOTDIR");
  is(in_child([&] { return dfjail::jail_create(root.path, name, nullptr, 0); }), EFAULT,
     "jail: a hostname of 299 bytes is EFAULT");
  is(in_child([&] { return dfjail::jail_create(root.path, "x", nullptr, 0); }), kSuccess,
     "jail: no addresses are fine");
  is(in_child([&] { return dfjail::jail_create_v0(root.path, "x", 0x7F000001); }), kSuccess,
     "jail: version 0 works");
  is(in_child([&] { return dfjail::jail_enter(999999); }), EINVAL,
     "jail_attach: no such jail is EINVAL");
  is(in_child([&] { return dfjail::jail_enter(0); }), EINVAL, "jail_attach: 0 is EINVAL");
  is(in_child([&] { return dfjail::jail_enter(-1); }), EINVAL, "jail_attach: -1 is EINVAL");
  if (fast) return skip("jail: EPERM for a user", "--fast");
  is(in_child([&] {
       if (setuid(1000) < 0) return 0;
       return dfjail::jail_create(root.path, "x", nullptr, 0);
     }),
     EPERM, "jail: a user is EPERM");
}

void test_anchor(const Root& root) {
  Address addresses[4];
  const char* texts[] = {"127.0.0.2", "10.9.8.7", "::1", "2001:db8::5"};
  for (int i = 0; i < 4; i++) dfjail::parse_address(texts[i], &addresses[i]);
  UniqueFd anchor;
  uint32_t jid = 0;
  Error error;
  const bool raised =
      dfjail::raise_jail(root.path, "anchored", addresses, 4, &anchor, &jid, &error);
  if (!check(raised, "a jail is made that no process lives in (%s %s %d)", error.step,
             error.syscall, error.number))
    return;
  char wanted[256];
  snprintf(wanted, sizeof wanted, "%u anchored %s 127.0.0.2 10.9.8.7 ::0001 2001:0db8::0005", jid,
           root.path);
  is_text(listed(jid), wanted, "the list has its addresses in our order");
  check(dfjail::jail_exists(jid), "it exists");
  is(dfjail::count_living(jid), 0, "without a process");
  is(in_child([&] { return dfjail::jail_enter(static_cast<int>(jid)); }), kSuccess,
     "it can be entered");
  uint32_t bits = 99;
  check(dfjail::read_capabilities(jid, &bits), "its capabilities can be read");
  uint32_t defaults = 98;
  check(dfjail::read_default_capabilities(&defaults) && bits == defaults, "and are the defaults");
  const uint32_t wish = dfjail::kSetHostname | dfjail::kMountTmpfs | dfjail::kRawSockets;
  check(dfjail::write_capabilities(jid, wish, &error), "capabilities are written");
  check(dfjail::read_capabilities(jid, &bits) && bits == wish, "and are so (%x)", bits);
  Error refused;
  check(!dfjail::write_capabilities(100000, wish, &refused) &&
            strcmp(refused.code, "ERR_JAIL_UNSUPPORTED") == 0,
        "a jid above 99,999 never has its node written");
  anchor.reset();
  check(dfjail::wait_until_gone(jid, 2000), "closing the anchor ends it");
  is_text(listed(jid), "", "and the list forgets it");
}

void test_sysctl() {
  Mib mib;
  char text[128] = "";
  size_t size = sizeof text - 1;
  check(dfjail::sysctl_find("kern.ostype", &mib) && dfjail::sysctl_get(mib, text, &size),
        "sysctl: kern.ostype is read");
  is_text(text, "DragonFly", "sysctl: and is DragonFly");
  check(!dfjail::sysctl_find("no.such.node", &mib) && errno == ENOENT,
        "sysctl: an unknown name is ENOENT");
  check(!dfjail::sysctl_find("", &mib) && errno == ENOENT, "sysctl: an empty name is ENOENT");
  uint32_t kind = 0;
  char format[16] = "";
  check(dfjail::sysctl_find("jail.defaults.sysvipc_allowed", &mib) &&
            dfjail::sysctl_type(mib, &kind, format, sizeof format),
        "sysctl: a default has a type");
  is(kind & 0x1F, 0x11, "sysctl: which is a bit of a 64-bit word");
  is_text(format, "I", "sysctl: its format is I");
  check(dfjail::sysctl_name(mib, text, sizeof text) &&
            strcmp(text, "jail.defaults.sysvipc_allowed") == 0,
        "sysctl: its name comes back");
  check(dfjail::sysctl_description(mib, text, sizeof text) && text[0] != '\0',
        "sysctl: it is described");
  Mib at;
  int nodes = 0;
  bool seen = false;
  while (nodes < 5000) {
    Mib next;
    if (!dfjail::sysctl_next(at, &next)) break;
    at = next;
    nodes++;
    if (dfjail::sysctl_name(at, text, sizeof text) && strcmp(text, "jail.list") == 0) seen = true;
  }
  check(errno == ENOENT && nodes > 300 && nodes < 5000,
        "sysctl: the tree is walked to its end (%d leaves)", nodes);
  check(seen, "sysctl: jail.list is in it");
  int before = -1;
  int after = -1;
  check(dfjail::sysctl_get_int("jail.defaults.sysvipc_allowed", &before), "sysctl: an int is read");
  check(dfjail::sysctl_set_int("jail.defaults.sysvipc_allowed", 1) &&
            dfjail::sysctl_get_int("jail.defaults.sysvipc_allowed", &after) && after == 1,
        "sysctl: and written");
  dfjail::sysctl_set_int("jail.defaults.sysvipc_allowed", before);
  check(!dfjail::sysctl_set_int("kern.osreldate", 1) && errno == EPERM,
        "sysctl: a read-only node is EPERM");
}

bool is_type(const char* path, const char* type) {
  struct statfs fs;
  return ::statfs(path, &fs) == 0 && strcmp(fs.f_fstypename, type) == 0;
}

void test_mounts(const Root& root) {
  const char* null = below(root.path, "null");
  check(dfjail::mount_null(null, below(root.path, "etc"), MNT_RDONLY), "mount: nullfs");
  check(access(below(null, "passwd"), R_OK) == 0 && is_type(null, "null"),
        "mount: shows its source");
  check(open(below(null, "new"), O_WRONLY | O_CREAT, 0644) < 0 && errno == EROFS,
        "mount: read-only holds");
  check(dfjail::mount_null(null, "/", 0), "mount: a second nullfs lies down on the first");
  check(dfjail::unmount_path(null, 0) && dfjail::unmount_path(null, 0),
        "mount: both are unmounted");
  check(!dfjail::unmount_path(null, 0) && errno == EINVAL, "mount: again is EINVAL");
  const char* tmp = below(root.path, "tmp");
  struct stat info;
  check(dfjail::mount_tmpfs(tmp, MNT_NOSUID, 1 << 20, 5, 6, 01777), "mount: tmpfs");
  check(stat(tmp, &info) == 0 && info.st_uid == 5 && info.st_gid == 6 &&
            (info.st_mode & 07777) == 01777,
        "mount: with owner and mode");
  struct statfs fs;
  check(::statfs(tmp, &fs) == 0 && fs.f_blocks * fs.f_bsize <= 2 << 20,
        "mount: and size (%ld blocks of %ld)", static_cast<long>(fs.f_blocks),
        static_cast<long>(fs.f_bsize));
  check(dfjail::unmount_path(tmp, 0), "mount: tmpfs is unmounted");
  const char* proc = below(root.path, "proc");
  check(dfjail::mount_procfs(proc, MNT_NOSUID) && access(below(proc, "curproc"), F_OK) == 0,
        "mount: procfs");
  check(dfjail::unmount_path(proc, 0), "mount: procfs is unmounted");
  char longer[128];
  snprintf(longer, sizeof longer, "/%0*d", 90, 0);
  check(!dfjail::mount_devfs(longer, 0) && errno == ENAMETOOLONG,
        "mount: devfs on a name of more than 79 bytes is refused");
  dfjail::MountList list;
  check(list.read() && list.size() > 1 && strcmp(list[0].f_mntonname, "/") == 0,
        "mount: the list begins with /");
}

bool is_allowed(const char* name) {
  static const char* const allowed[] = {"null", "zero", "full",  "random", "urandom", "tty", "ptmx",
                                        "pts",  "fd",   "stdin", "stdout", "stderr",  ".",   ".."};
  for (const char* one : allowed) {
    if (strcmp(name, one) == 0) return true;
  }
  return false;
}

// "": only what is allowed is visible; else the first that is not.
const char* visible_beyond(const char* path) {
  static char name[256];
  name[0] = '\0';
  DIR* dir = opendir(path);
  if (dir == nullptr) return "(cannot be read)";
  while (const dirent* item = readdir(dir)) {
    if (!is_allowed(item->d_name)) snprintf(name, sizeof name, "%s", item->d_name);
  }
  closedir(dir);
  return name;
}

void test_devfs(const Root& root) {
  const char* dev = below(root.path, "dev");
  const char* offered = below(dev, dfjail::kOfferedDevices);
  Error error;
  check(dfjail::devfs_offer_devices(dev, &error), "devfs: rules are set (%s %d)", error.syscall,
        error.number);
  check(dfjail::mount_devfs(dev, 0), "devfs: is mounted");
  is_text(visible_beyond(offered), "", "devfs: offers nothing but what a jail may have");
  check(access(below(offered, "null"), W_OK) == 0 && access(below(offered, "urandom"), R_OK) == 0,
        "devfs: null and urandom are there");
  check(access(below(offered, "fd/0"), F_OK) == 0, "devfs: fd/0 is there");
  const char* null = below(root.path, "null");
  check(dfjail::mount_null(null, offered, 0) && access(below(null, "zero"), R_OK) == 0,
        "devfs: a nullfs shows what it offers");
  check(access(below(null, "../mem"), F_OK) < 0 && access(below(null, "fd/../../mem"), F_OK) < 0,
        "devfs: and nothing above");
  check(dfjail::unmount_path(null, 0) && dfjail::unmount_path(dev, 0), "devfs: is unmounted");
  check(dfjail::devfs_clear_rules(dev, &error), "devfs: rules are cleared");
}

void test_aliases() {
  const char* const texts[] = {"127.0.0.77", "10.11.12.13", "fd00::77", "fe80::77"};
  for (const char* text : texts) {
    Address address;
    bool has = true;
    const uint32_t scope = strncmp(text, "fe80", 4) == 0 ? if_nametoindex("lo0") : 0;
    dfjail::parse_address(text, &address);
    check(dfjail::host_has_address(address, &has) && !has, "alias: %s is not there", text);
    check(dfjail::alias_add("lo0", address, scope), "alias: it is added (%s)", strerror(errno));
    check(dfjail::host_has_address(address, &has) && has, "alias: it is there");
    check(dfjail::alias_remove("lo0", address, scope), "alias: it is removed (%s)",
          strerror(errno));
    check(dfjail::host_has_address(address, &has) && !has, "alias: it is gone");
    check(!dfjail::alias_remove("lo0", address, scope) && errno == EADDRNOTAVAIL,
          "alias: again is EADDRNOTAVAIL");
  }
  Address address;
  dfjail::parse_address("10.11.12.13", &address);
  check(!dfjail::alias_add("nope0", address, 0) && errno == ENXIO,
        "alias: an unknown interface is ENXIO");
}

void test_processes() {
  dfjail::ProcessList list;
  Error error;
  check(list.read(&error) && list.size() > 3, "processes: are listed");
  bool seen = false;
  for (const kinfo_proc& process : list)
    seen = seen || (process.kp_pid == getpid() && process.kp_jailid == 0);
  check(seen, "processes: this one is among them, in no jail");
  check(
      list.read(false, getpid(), &error) && list.size() == 1 && list.begin()->kp_ppid == getppid(),
      "processes: one by its pid");
  check(list.read(false, 99999999, &error) && list.size() == 0,
        "processes: an unknown pid gives none");
  check(list.read(true, 0, &error) && list.size() > 3, "processes: threads are listed");
}

uint32_t layout(const char* structure, const char* field, uint32_t* offset) {
  size_t count = 0;
  const dfjail::AbiField* fields = dfjail::abi_fields(&count);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(fields[i].structure, structure) != 0 || strcmp(fields[i].field, field) != 0)
      continue;
    *offset = fields[i].offset;
    return fields[i].size;
  }
  return 0;
}

void test_abi() {
  uint32_t offset = 0;
  is(layout("kinfo_proc", "", &offset), sizeof(kinfo_proc), "abi: the table has kinfo_proc");
  is(layout("kinfo_proc", "kp_jailid", &offset), 4, "abi: and its jailid");
  is(offset, static_cast<long long>(offsetof(kinfo_proc, kp_jailid)), "abi: at its offset");
  is(layout("statfs", "f_mntonname", &offset), MNAMELEN, "abi: a mount name has MNAMELEN bytes");
  size_t count = 0;
  dfjail::abi_constants(&count);
  check(count > 40, "abi: constants are exported (%d)", static_cast<int>(count));
}

}  // namespace

void test_calls(const Options& options, const Root& root) {
  test_jail_call(root, options.fast);
  test_anchor(root);
  test_sysctl();
  test_mounts(root);
  test_devfs(root);
  options.fast ? skip("alias", "--fast") : test_aliases();
  test_processes();
  test_abi();
}

}  // namespace selftest
