#include "registry.hh"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dfjail {
namespace {

constexpr const char* kStep = "register";
constexpr unsigned kVersion = 1;  // of entries
// Bytes of `locks` from here on stand for ranges of ids. Above every jid.
constexpr off_t kIdRangeLocks = 1 << 20;
// 0x70000000–0x7FFFFFFF is handed out by nobody else: below it systemd's container ranges end,
// above it are the ids that signed 32-bit programs cannot print. The last 16 ranges are systemd's
// "foreign" ones.
constexpr uint32_t kFirstId = 0x70000000U;
constexpr uint32_t kIdsPerJail = 0x10000U;
constexpr uint32_t kIdRanges = 4096 - 16;
constexpr const char* kFreshName = "name.new";  // on its way into names/; the mutex is held
constexpr size_t kMaxPath = 4096;
constexpr size_t kEntryText = sizeof(Entry) + 1024;
static_assert(kIdRangeLocks > static_cast<off_t>(kMaxPendingId), "locks of ids must not overlap");

// Holds the registry's mutex while in scope.
class Mutex {
 public:
  explicit Mutex(int state)
      : fd_(openat(state, "mutex", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    if (!fd_) return;
    call_ = "flock";
    int locked;
    do {
      locked = flock(fd_.get(), LOCK_EX);
    } while (locked < 0 && errno == EINTR);
    held_ = locked == 0;
  }
  bool held() const { return held_; }
  // Right after it was made: why it is not held.
  bool refuse(Error* error, const char* step) const { return fail(error, step, call_, "mutex"); }

 private:
  UniqueFd fd_;
  const char* call_ = "open";
  bool held_ = false;
};

// The folders above a path, which are for everybody. False and errno.
bool make_above(const char* dir) {
  char path[kMaxPath];
  const int length = snprintf(path, sizeof path, "%s", dir);
  if (length >= static_cast<int>(sizeof path)) errno = ENAMETOOLONG;
  if (length >= static_cast<int>(sizeof path)) return false;
  for (char* at = strchr(path + 1, '/'); at != nullptr; at = strchr(at + 1, '/')) {
    *at = '\0';
    if (mkdir(path, 0755) < 0 && errno != EEXIST) return false;
    *at = '/';
  }
  return true;
}

bool make_state(const char* dir, mode_t mode) {
  if (mkdir(dir, mode) == 0 || errno == EEXIST) return true;
  if (errno != ENOENT || !make_above(dir)) return false;
  return mkdir(dir, mode) == 0 || errno == EEXIST;
}

// What lies in a folder that somebody else may write to cannot be believed.
bool is_ours(int state, const char* dir, Error* error) {
  struct stat info;
  if (fstat(state, &info) < 0) return fail(error, kStep, "fstat", dir);
  if (info.st_uid == geteuid() && (info.st_mode & 022) == 0) return true;
  return fail(error, kStep, "open", dir, EPERM);
}

bool make_folder(int at, const char* name, mode_t mode) {
  return mkdirat(at, name, mode) == 0 || errno == EEXIST;
}

bool set_lock(int locks, off_t byte, short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return fcntl(locks, F_SETLK, &lock) == 0;
}

bool lock_byte(int locks, off_t byte) { return set_lock(locks, byte, F_WRLCK); }

// Any other error meets every byte alike.
bool is_others_lock(int number) { return number == EAGAIN || number == EACCES; }

// The pid is 0 where the holder is not to be seen from here: in a container that shares the folder.
bool is_locked(int locks, off_t byte, pid_t* holder = nullptr) {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  const bool known = fcntl(locks, F_GETLK, &lock) == 0;
  const bool locked = !known || lock.l_type != F_UNLCK;  // what is not known is left alone
  if (holder != nullptr) *holder = known && locked && lock.l_pid > 0 ? lock.l_pid : 0;
  return locked;
}

bool open_locks_with(int flags, int state, UniqueFd* locks) {
  locks->reset(openat(state, "locks", O_RDWR | flags | O_CLOEXEC | O_NOFOLLOW, 0600));
  // Whoever only asks for locks need not be able to write.
  if (!*locks && (errno == EROFS || errno == EACCES))
    locks->reset(openat(state, "locks", O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return static_cast<bool>(*locks);
}

void jail_folder(uint32_t jid, const char* file, char out[64]) {
  snprintf(out, 64, "jails/%u%s%s", jid, file[0] != '\0' ? "/" : "", file);
}

bool has_folder(int state, uint32_t id) {
  char folder[64];
  struct stat info;
  jail_folder(id, "", folder);
  return fstatat(state, folder, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

size_t read_small(int at, const char* name, char* buffer, size_t size) {
  const UniqueFd fd(openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return 0;
  const ssize_t n = read(fd.get(), buffer, size - 1);
  if (n <= 0) return 0;
  buffer[n] = '\0';
  return static_cast<size_t>(n);
}

// A disk that is full as soon as there is some of it takes that much without an error.
bool write_whole(int fd, const char* text, size_t size) {
  const ssize_t n = write(fd, text, size);
  if (n >= 0 && n < static_cast<ssize_t>(size)) errno = ENOSPC;
  return n == static_cast<ssize_t>(size);
}

bool write_file(int at, const char* name, const char* text, size_t size) {
  const UniqueFd fd(openat(at, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  return fd && write_whole(fd.get(), text, size);
}

uint32_t last_jid(int state) {
  char text[32];
  if (read_small(state, "next", text, sizeof text) == 0) return 0;
  const unsigned long value = strtoul(text, nullptr, 10);
  return value > kMaxJid ? 0 : static_cast<uint32_t>(value);
}

// Over what is there, always as long: on a full disk it would else be lost, and start anew.
bool keep_jid(int state, uint32_t jid) {
  char text[16];
  const int n = snprintf(text, sizeof text, "%-8u\n", jid);
  const UniqueFd fd(openat(state, "next", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  return fd && write_whole(fd.get(), text, static_cast<size_t>(n));
}

// The counter only moves up and wraps, as the kernel's does on DragonFly, so that a jid is not soon
// somebody else's.
bool take_jid(int state, int locks, Entry* entry, Error* error) {
  const uint32_t last = last_jid(state);
  for (uint32_t i = 1; i <= kMaxJid; i++) {
    const uint32_t jid = (last + i - 1) % kMaxJid + 1;
    char folder[64];
    jail_folder(jid, "", folder);
    if (is_locked(locks, jid)) continue;
    if (!lock_byte(locks, jid)) {
      if (is_others_lock(errno)) continue;
      return fail(error, kStep, "fcntl", "locks");
    }
    if (mkdirat(state, folder, 0755) < 0) {
      const int number = errno;
      set_lock(locks, jid, F_UNLCK);  // a dead jail's, not yet swept, must not look alive
      if (number == EEXIST) continue;
      return fail(error, kStep, "mkdir", folder, number);
    }
    entry->jid = jid;
    if (keep_jid(state, jid)) return true;
    fail(error, kStep, "write", "next");
    unlinkat(state, folder, AT_REMOVEDIR);
    return false;
  }
  return fail_with_code(error, kStep, "ERR_JAIL_LIMIT", "",
                        "Every jail id is in use: stop some jails first.");
}

// A folder and a lock for a jail whose jid is not known yet.
bool take_pending_id(int state, int locks, uint32_t* id, Error* error) {
  for (*id = kMaxJid + 1; *id <= kMaxPendingId; ++*id) {
    char folder[64];
    jail_folder(*id, "", folder);
    if (is_locked(locks, *id) || !lock_byte(locks, *id)) continue;
    if (mkdirat(state, folder, 0755) == 0) return true;
    const int number = errno;
    set_lock(locks, *id, F_UNLCK);
    if (number != EEXIST) return fail(error, kStep, "mkdir", folder, number);
  }
  return fail_with_code(
      error, kStep, "ERR_JAIL_LIMIT", "",
      "Too many jails are being made, or were left behind: recover() clears them away.");
}

bool link_name(int state, const Entry& entry, Error* error) {
  if (entry.name[0] == '\0') return true;
  char link[128];
  char target[16];
  snprintf(link, sizeof link, "names/%s", entry.name);
  snprintf(target, sizeof target, "%u", entry.jid);
  return symlinkat(target, state, link) == 0 || fail(error, kStep, "symlink", link);
}

// In one step, so that a name is never nobody's: whoever dies in between leaves it to the one or to
// the other.
bool move_name(int state, const Entry& entry, Error* error) {
  if (entry.name[0] == '\0') return true;
  char link[128];
  char target[16];
  snprintf(link, sizeof link, "names/%s", entry.name);
  snprintf(target, sizeof target, "%u", entry.jid);
  unlinkat(state, kFreshName, 0);
  if (symlinkat(target, state, kFreshName) < 0) {
    return fail(error, kStep, "symlink", kFreshName);
  }
  return renameat(state, kFreshName, state, link) == 0 || fail(error, kStep, "rename", link);
}

uint64_t number(const char* value) { return strtoull(value, nullptr, 10); }

// Calls visit(folder, name) for what is in a folder, until it returns false.
template <typename Visit>
void each_name(int at, const char* folder, const Visit& visit) {
  UniqueFd fd(openat(at, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  DIR* dir = fd ? fdopendir(fd.get()) : nullptr;
  if (dir == nullptr) return;
  const int opened = fd.release();  // closedir's now
  while (const dirent* item = readdir(dir)) {
    const char* name = item->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    if (!visit(opened, name)) break;
  }
  closedir(dir);
}

// Removes everything in a jail's folder and the folder.
void remove_folder(int state, uint32_t jid) {
  char folder[64];
  constexpr const char* kFiles[] = {"entry", "socket"};
  for (const char* file : kFiles) {
    jail_folder(jid, file, folder);
    unlinkat(state, folder, 0);
  }
  jail_folder(jid, "", folder);
  if (unlinkat(state, folder, AT_REMOVEDIR) == 0) return;  // as a rule there is nothing else
  each_name(state, folder, [](int opened, const char* name) {
    unlinkat(opened, name, 0);
    return true;
  });
  unlinkat(state, folder, AT_REMOVEDIR);
}

bool unlink_link(int state, const char* name) {
  char link[128];
  snprintf(link, sizeof link, "names/%s", name);
  return unlinkat(state, link, 0) == 0 || errno == ENOENT;
}

// False and errno: it may still be there. A folder must not go before its name, which nobody would
// find any more.
bool unlink_name(int state, const Entry& entry) {
  uint32_t jid = 0;
  if (entry.name[0] == '\0') return true;
  errno = 0;
  if (!find_name(state, entry.name, &jid)) return errno == 0 || errno == ENOENT || errno == EINVAL;
  return jid != entry.jid || unlink_link(state, entry.name);
}

// Those of the names for which is_nobodys(id, name) says so.
template <typename IsNobodys>
void unlink_names(int state, const IsNobodys& is_nobodys) {
  each_name(state, "names", [&](int names, const char* name) {
    char target[16] = "";
    if (readlinkat(names, name, target, sizeof target - 1) <= 0) return true;
    if (is_nobodys(static_cast<uint32_t>(number(target)), name)) unlinkat(names, name, 0);
    return true;
  });
}

// Names that lead to this jail, or to none: its monitor may have died before the entry said its
// name, or while the name was handed on from one id to the next.
void unlink_names_of(int state, int locks, uint32_t jid) {
  unlink_names(state, [=](uint32_t id, const char*) {
    return id == jid || (!has_folder(state, id) && !is_locked(locks, id));
  });
}

struct Field {
  const char* key;
  char* text;
  size_t size;
};

void copy_field(const Field& field, const char* value, size_t length) {
  if (length >= field.size) length = field.size - 1;
  memcpy(field.text, value, length);
  field.text[length] = '\0';
}

void set_number(Entry* entry, const char* key, const char* value) {
  const uint64_t n = number(value);
  if (strcmp(key, "jid") == 0) entry->jid = static_cast<uint32_t>(n);
  if (strcmp(key, "capabilities") == 0) entry->capabilities = static_cast<uint32_t>(n);
  if (strcmp(key, "idbase") == 0) entry->id_base = static_cast<uint32_t>(n);
  if (strcmp(key, "idcount") == 0) entry->id_count = static_cast<uint32_t>(n);
  if (strcmp(key, "persist") == 0) entry->persist = n != 0;
  if (strcmp(key, "nonewprivs") == 0) entry->no_new_privileges = n != 0;
  if (strcmp(key, "stopping") == 0) entry->stopping = n != 0;
  if (strcmp(key, "monitor") == 0) entry->monitor = static_cast<pid_t>(n);
  if (strcmp(key, "anchor") == 0) entry->anchor = static_cast<pid_t>(n);
  if (strcmp(key, "pidns") == 0) entry->pid_namespace = n;
}

void set_field(Entry* entry, const char* key, const char* value, size_t length) {
  const Field fields[] = {
      {"name", entry->name, sizeof entry->name},
      {"hostname", entry->hostname, sizeof entry->hostname},
      {"path", entry->path, sizeof entry->path},
      {"addresses", entry->addresses, sizeof entry->addresses},
      {"scopeids", entry->scopeids, sizeof entry->scopeids},
      {"limits", entry->limits, sizeof entry->limits},
      {"cgroup", entry->cgroup, sizeof entry->cgroup},
      {"link", entry->link, sizeof entry->link},
  };
  for (const Field& field : fields) {
    if (strcmp(field.key, key) == 0) return copy_field(field, value, length);
  }
  set_number(entry, key, value);
}

// 0: none that says so.
unsigned long version_of(const char* text) {
  constexpr char kKey[] = "version ";
  constexpr size_t kLength = sizeof kKey - 1;
  return strncmp(text, kKey, kLength) == 0 ? strtoul(text + kLength, nullptr, 10) : 0;
}

bool read_entry_text(int state, const char* file, char text[kEntryText]) {
  return read_small(state, file, text, kEntryText) > 0;
}

bool read_entry_text(int state, uint32_t jid, char text[kEntryText]) {
  char file[64];
  jail_folder(jid, "entry", file);
  return read_entry_text(state, file, text);
}

// What that release knows to be undone is unknown here.
bool is_of_another_version(int state, uint32_t jid) {
  static char text[kEntryText];
  if (!read_entry_text(state, jid, text)) return false;
  const unsigned long version = version_of(text);
  return version != 0 && version != kVersion;
}

void parse_entry(char* text, Entry* entry) {
  for (char* line = text; *line != '\0';) {
    char* end = strchr(line, '\n');
    if (end == nullptr) return;
    *end = '\0';
    char* space = strchr(line, ' ');
    if (space != nullptr) {
      *space = '\0';
      set_field(entry, line, space + 1, static_cast<size_t>(end - space - 1));
    }
    line = end + 1;
  }
}

// Of whichever jail an entry is; it is written under the pending id first. False: there is none.
bool read_name(int state, uint32_t id, char (&name)[kMaxName + 1]) {
  static char text[kEntryText];
  Entry entry;
  if (!read_entry_text(state, id, text)) return false;
  parse_entry(text, &entry);
  memcpy(name, entry.name, sizeof name);
  return true;
}

// Jids start again with each boot, and a state directory may outlive one: only a living jail whose
// entry says this very name has it. One that has no entry yet is being made.
bool has_name(int state, int locks, uint32_t id, const char* name) {
  char own[kMaxName + 1];
  if (!is_locked(locks, id)) return false;
  if (read_name(state, id, own)) return strcmp(own, name) == 0;
  return id > kMaxJid || has_folder(state, id);
}

bool name_is_free(int state, int locks, const char* name, Error* error) {
  uint32_t jid = 0;
  if (name[0] == '\0' || !find_name(state, name, &jid)) return true;
  if (!has_name(state, locks, jid, name)) {
    return unlink_link(state, name) || fail(error, kStep, "unlinkat", name);
  }
  return fail_with_code(
      error, kStep, "ERR_JAIL_EXISTS", name,
      "A running jail has this name: stop it, open it with Jail.open(), or choose another name.");
}

// The name that a dead jail's entry says, where that leads to it still: whoever has its jid next is
// another jail.
void unlink_name_of(int state, uint32_t jid) {
  char name[kMaxName + 1];
  uint32_t id = 0;
  if (!read_name(state, jid, name) || name[0] == '\0') return;
  if (find_name(state, name, &id) && id == jid) unlink_link(state, name);
}

// What a dead jail of the same jid left keeps its ledger, under an id of its own, until it is
// recovered.
bool move_aside(int state, int locks, uint32_t jid, Error* error) {
  char from[64];
  char to[64];
  uint32_t id = 0;
  if (!has_folder(state, jid)) return true;
  jail_folder(jid, "", from);
  if (!take_pending_id(state, locks, &id, error)) return false;
  jail_folder(id, "", to);
  unlink_name_of(state, jid);
  const bool moved = renameat(state, from, state, to) == 0;
  const int number = errno;
  set_lock(locks, id, F_UNLCK);
  return moved || fail(error, kStep, "rename", from, number);
}

}  // namespace

bool open_state(const char* dir, UniqueFd* state, Error* error) {
  const mode_t mode = geteuid() == 0 ? 0755 : 0700;
  if (!make_state(dir, mode)) return fail(error, kStep, "mkdir", dir);
  state->reset(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!*state) return fail(error, kStep, "open", dir);
  if (!is_ours(state->get(), dir, error)) return false;
  if (!make_folder(state->get(), "names", mode)) return fail(error, kStep, "mkdir", "names");
  if (!make_folder(state->get(), "jails", mode)) return fail(error, kStep, "mkdir", "jails");
  return true;
}

bool find_state(const char* dir, UniqueFd* state, Error* error) {
  state->reset(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (*state) return is_ours(state->get(), dir, error);
  return errno == ENOENT || fail(error, kStep, "open", dir);
}

bool open_locks(int state, UniqueFd* locks) { return open_locks_with(O_CREAT, state, locks); }

bool find_locks(int state, UniqueFd* locks) {
  return open_locks_with(0, state, locks) || errno == ENOENT;
}

bool register_jail(int state, Entry* entry, UniqueFd* locks, Error* error) {
  const Mutex mutex(state);
  if (!mutex.held()) return mutex.refuse(error, kStep);
  if (!open_locks(state, locks)) return fail(error, kStep, "open", "locks");
  if (!name_is_free(state, locks->get(), entry->name, error)) return false;
  if (!take_jid(state, locks->get(), entry, error)) return false;
  if (link_name(state, *entry, error)) return true;
  remove_folder(state, entry->jid);
  return false;
}

bool register_pending(int state, Entry* entry, UniqueFd* locks, Error* error) {
  const Mutex mutex(state);
  if (!mutex.held()) return mutex.refuse(error, kStep);
  if (!open_locks(state, locks)) return fail(error, kStep, "open", "locks");
  if (!name_is_free(state, locks->get(), entry->name, error)) return false;
  if (!take_pending_id(state, locks->get(), &entry->jid, error)) return false;
  if (link_name(state, *entry, error)) return true;
  remove_folder(state, entry->jid);
  return false;
}

bool settle_jid(int state, Entry* entry, int locks, uint32_t jid, Error* error) {
  const Mutex mutex(state);
  if (!mutex.held()) return mutex.refuse(error, kStep);
  if (!move_aside(state, locks, jid, error)) return false;
  if (!lock_byte(locks, jid)) return fail(error, kStep, "fcntl", "locks");
  const uint32_t pending = entry->jid;
  char from[64];
  char to[64];
  jail_folder(pending, "", from);
  jail_folder(jid, "", to);
  if (renameat(state, from, state, to) < 0) return fail(error, kStep, "rename", from);
  entry->jid = jid;
  const bool moved = move_name(state, *entry, error);
  set_lock(locks, pending, F_UNLCK);
  return moved;
}

bool take_id_range(int locks, Entry* entry, Error* error) {
  for (uint32_t i = 0; i < kIdRanges; i++) {
    const uint32_t range = (entry->jid + i) % kIdRanges;
    if (!lock_byte(locks, kIdRangeLocks + static_cast<off_t>(range))) {
      if (is_others_lock(errno)) continue;
      return fail(error, "id-map", "fcntl", "locks");
    }
    entry->id_base = kFirstId + range * kIdsPerJail;
    entry->id_count = kIdsPerJail;
    return true;
  }
  return fail_with_code(error, "id-map", "ERR_JAIL_LIMIT", "",
                        "All 4,080 ranges of user ids are in use: stop some jails first.");
}

bool write_entry_to(int state, const char* file, const Entry& entry, Error* error) {
  static char text[kEntryText];
  char fresh[128];
  const int n = snprintf(
      text, sizeof text,
      "version %u\njid %u\nname %s\nhostname %s\npath %s\naddresses %s\nscopeids %s\nlimits "
      "%s\ncgroup %s\nlink %s\n"
      "capabilities %u\nidbase %u\nidcount %u\npersist %d\nnonewprivs %d\nstopping %d\nmonitor "
      "%d\nanchor "
      "%d\npidns %llu\n",
      kVersion, entry.jid, entry.name, entry.hostname, entry.path, entry.addresses, entry.scopeids,
      entry.limits, entry.cgroup, entry.link, entry.capabilities, entry.id_base, entry.id_count,
      entry.persist ? 1 : 0, entry.no_new_privileges ? 1 : 0, entry.stopping ? 1 : 0,
      static_cast<int>(entry.monitor), static_cast<int>(entry.anchor),
      static_cast<unsigned long long>(entry.pid_namespace));
  snprintf(fresh, sizeof fresh, "%s.new", file);
  if (!write_file(state, fresh, text, static_cast<size_t>(n)))
    return fail(error, kStep, "write", fresh);
  return renameat(state, fresh, state, file) == 0 || fail(error, kStep, "rename", file);
}

bool write_entry(int state, const Entry& entry, Error* error) {
  char file[64];
  jail_folder(entry.jid, "entry", file);
  return write_entry_to(state, file, entry, error);
}

void unregister_jail(int state, const Entry& entry) {
  const Mutex mutex(state);
  if (unlink_name(state, entry)) remove_folder(state, entry.jid);
}

void add_guest_monitor(int state, uint32_t jid) {
  char file[64];
  snprintf(file, sizeof file, "jails/%u/monitor.%d", jid, static_cast<int>(getpid()));
  const UniqueFd fd(openat(state, file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
}

void remove_guest_monitor(int state, uint32_t jid) {
  char file[64];
  snprintf(file, sizeof file, "jails/%u/monitor.%d", jid, static_cast<int>(getpid()));
  unlinkat(state, file, 0);
}

bool is_alive(int locks, uint32_t jid, pid_t* monitor) { return is_locked(locks, jid, monitor); }

bool read_entry_from(int state, const char* file, Entry* entry) {
  char text[kEntryText];
  if (!read_entry_text(state, file, text) || version_of(text) != kVersion) return false;
  parse_entry(text, entry);
  return true;
}

bool read_entry(int state, uint32_t jid, Entry* entry) {
  char file[64];
  jail_folder(jid, "entry", file);
  return read_entry_from(state, file, entry) && entry->jid == jid;
}

bool find_name(int state, const char* name, uint32_t* jid) {
  char link[128];
  char target[16] = "";
  snprintf(link, sizeof link, "names/%s", name);
  if (readlinkat(state, link, target, sizeof target - 1) <= 0) return false;
  *jid = static_cast<uint32_t>(number(target));
  return *jid != 0;
}

void each_jid(int state, bool (*visit)(void* context, uint32_t jid), void* context) {
  each_name(state, "jails", [=](int, const char* name) {
    const uint32_t jid = static_cast<uint32_t>(number(name));
    return jid == 0 || visit(context, jid);
  });
}

void each_file(int state, const char* folder, bool (*visit)(void* context, const char* name),
               void* context) {
  each_name(state, folder, [=](int, const char* name) { return visit(context, name); });
}

size_t guest_monitors(int state, uint32_t jid, pid_t* pids, size_t max) {
  char folder[64];
  jail_folder(jid, "", folder);
  size_t count = 0;
  each_name(state, folder, [&](int, const char* name) {
    if (count == max) return false;
    if (strncmp(name, "monitor.", 8) == 0) pids[count++] = static_cast<pid_t>(number(name + 8));
    return true;
  });
  return count;
}

bool sweep_jail(int state, uint32_t jid, Error* error) {
  constexpr const char* kSweep = "unregister";
  const Mutex mutex(state);
  UniqueFd locks;
  if (!mutex.held()) return mutex.refuse(error, kSweep);
  if (!open_locks(state, &locks)) return fail(error, kSweep, "open", "locks");
  if (is_alive(locks.get(), jid, nullptr)) return true;
  char folder[64];
  if (is_of_another_version(state, jid)) {
    jail_folder(jid, "entry", folder);
    return fail(error, kSweep, "read", folder, EPROTONOSUPPORT);
  }
  Entry entry;
  entry.jid = jid;
  const bool known = read_entry(state, jid, &entry);
  if (known && !unlink_name(state, entry)) return fail(error, kSweep, "unlinkat", entry.name);
  unlink_names_of(state, locks.get(), jid);
  unlinkat(state, kFreshName, 0);
  remove_folder(state, jid);
  jail_folder(jid, "", folder);
  return !has_folder(state, jid) || fail(error, kSweep, "unlinkat", folder, ENOTEMPTY);
}

void sweep_names(int state) {
  const Mutex mutex(state);
  UniqueFd locks;
  if (!mutex.held() || !open_locks(state, &locks)) return;
  unlinkat(state, kFreshName, 0);
  unlink_names(state, [&](uint32_t id, const char* name) {
    return !has_name(state, locks.get(), id, name);
  });
}

}  // namespace dfjail
