#include "ledger.hh"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/number.hh"
#include "../common/registry.hh"
#include "../common/steps.hh"
#include "../common/words.hh"
#include "alias.hh"
#include "alias_book.hh"
#include "boot.hh"
#include "child.hh"
#include "devfs_rules.hh"
#include "mount_walk.hh"

namespace dfjail {
namespace {

constexpr const char* kStep = "ledger";
// 256 addresses, and 256 mounts with six lines each for those of devices.
constexpr size_t kMaxLines = 2048;
constexpr size_t kMaxLedger = kMaxLines * 1600;

void ledger_name(uint32_t id, char out[64]) { snprintf(out, 64, "jails/%u/ledger", id); }

// A ledger in memory: lines cut apart.
struct Lines {
  char* text = nullptr;
  char* at[kMaxLines];
  size_t count = 0;
  ~Lines() { free(text); }
};

bool read_lines(int ledger, Lines* lines) {
  struct stat info;
  if (fstat(ledger, &info) < 0 || info.st_size < 0) return false;
  const size_t size = static_cast<size_t>(info.st_size);
  if (size > kMaxLedger) return false;
  lines->text = static_cast<char*>(malloc(size + 1));
  if (lines->text == nullptr || pread(ledger, lines->text, size, 0) != info.st_size) return false;
  lines->text[size] = '\0';
  char* line = lines->text;
  for (;;) {
    char* end =
        strchr(line, '\n');  // a last line without one was not finished: nothing was done yet
    if (end == nullptr || lines->count == kMaxLines) return end == nullptr;
    *end = '\0';
    lines->at[lines->count++] = line;
    line = end + 1;
  }
}

// "word rest": the rest, or null when the line begins otherwise.
const char* after(const char* line, const char* word) {
  const size_t n = strlen(word);
  return strncmp(line, word, n) == 0 && line[n] == ' ' ? line + n + 1 : nullptr;
}

struct Alias {
  unsigned scope = 0;
  char interface[32] = "";
  char written[64] = "";
  Address address;
};

bool take_id(const char** text, FsId* out) {
  return take_number(text, &out->value[0]) && take_number(text, &out->value[1]);
}

bool parse_alias(const char* text, Alias* out) {
  return take_number(&text, &out->scope) && take_word(&text, out->interface) &&
         take_word(&text, out->written) && parse_address(out->written, &out->address);
}

bool is_same(const Alias& alias, const char* interface, const Address& address) {
  return strcmp(alias.interface, interface) == 0 && alias.address == address;
}

// Calls visit(lines) with the ledger of a jail when it is of this boot, until it returns false.
template <typename Visit>
bool visit_ledger(int state, uint32_t id, const char* this_boot, const Visit& visit) {
  char name[64];
  Lines lines;
  ledger_name(id, name);
  const UniqueFd ledger(openat(state, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!ledger || !read_lines(ledger.get(), &lines) || lines.count == 0) return true;
  const char* boot = after(lines.at[0], "boot");
  return boot == nullptr || strcmp(boot, this_boot) != 0 || visit(lines);
}

// The registry's folder, by whatever descriptor.
bool is_same_folder(int one, int other) {
  struct stat a;
  struct stat b;
  return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

struct AliasSearch {
  int state;  // whose ledgers are looked into now
  bool is_home;
  int home;
  uint32_t except;  // of the home's
  const char* interface;
  const Address* address;
  char boot[48];
  bool found;
};

// To be continued while it is not found.
bool look_into(void* context, uint32_t id) {
  AliasSearch* search = static_cast<AliasSearch*>(context);
  if (search->is_home && id == search->except) return true;
  return visit_ledger(search->state, id, search->boot, [search](const Lines& lines) {
    for (size_t i = 1; i < lines.count && !search->found; i++) {
      Alias alias;
      const char* text = after(lines.at[i], "alias");
      search->found = text != nullptr && parse_alias(text, &alias) &&
                      is_same(alias, search->interface, *search->address);
    }
    return !search->found;
  });
}

bool look_into_registry(void* context, int state) {
  AliasSearch* search = static_cast<AliasSearch*>(context);
  search->state = state;
  search->is_home = is_same_folder(state, search->home);
  each_jid(state, look_into, search);
  return !search->found;
}

// The line is nobody's claim any more. In its place, for the others are known by theirs.
void give_up_alias(int state, uint32_t id, off_t offset) {
  char name[64];
  constexpr char kEnded[] = "ended";
  static_assert(sizeof kEnded == sizeof "alias", "the same length");
  ledger_name(id, name);
  const UniqueFd ledger(openat(state, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (ledger && pwrite(ledger.get(), kEnded, sizeof kEnded - 1, offset) < 0) return;
}

bool remove_if_there(const Alias& alias, Error* error) {
  bool has = false;
  if (!host_has_address(alias.address, &has)) {
    return fail(error, "address", "getifaddrs", alias.written);
  }
  if (!has || alias_remove(alias.interface, alias.address, alias.scope)) return true;
  if (errno == EADDRNOTAVAIL || errno == ENXIO) return true;  // gone, or with its interface
  return fail(error, "address", "ioctl", alias.written);
}

// Whether it is removed and that this jail gives it up is one decision under one lock: of jails
// that end at the same time, the last one sees no other.
bool undo_alias(int state, uint32_t jail, const char* text, off_t offset, Error* error) {
  Alias alias;
  if (!parse_alias(text, &alias)) return true;
  const UniqueFd turn = lock_aliases(error);
  if (!turn) return false;
  const bool shared = is_shared_alias(state, jail, alias.interface, alias.address);
  if (!shared && !remove_if_there(alias, error)) return false;
  give_up_alias(state, jail, offset);
  return true;
}

bool is_mounted(const FsId& id) {
  MountList mounts;
  if (!mounts.read()) return true;
  for (size_t i = 0; i < mounts.size(); i++) {
    if (fsid_of(mounts[i]) == id) return true;
  }
  return false;
}

bool unmount_for_sure(const char* path, Error* error) {
  if (unmount_path(path, 0) || errno == EINVAL || errno == ENOENT) return true;
  return unmount_path(path, MNT_FORCE) || fail(error, "unmount", "unmount", path);
}

// Wherever it is now: inmates may have given a folder above it another name.
bool undo_moved(int state, uint32_t jail, const FsId& id, Error* error) {
  static Entry entry;
  entry = Entry();
  read_entry(state, jail, &entry);
  const bool is_there = is_mounted(id);
  UniqueFd directory;
  if (is_there && entry.path[0] != '\0') directory = open_mount(0, entry.path, id);
  if (is_there && !directory) directory = open_mount(0, "/", id);
  if (!is_there) return true;
  if (unmount_open(directory, 0, MNT_FORCE)) return true;
  return !is_mounted(id) || fail(error, "unmount", "unmount", entry.path, EBUSY);
}

bool undo_mounted(int state, uint32_t jail, const char* text, Error* error) {
  FsId id;
  if (!take_id(&text, &id) || *text != ' ') return true;
  const char* path = text + 1;
  struct statfs fs;
  if (::statfs(path, &fs) == 0 && fsid_of(fs) == id) return unmount_for_sure(path, error);
  if (undo_moved(state, jail, id, error)) return true;
  copy_text(error->path, path);  // something lies on it
  return false;
}

// Its monitor died between announcing the mount and writing down that it was made: only a mount of
// that type exactly there can be it.
bool undo_mount(const char* text, Error* error) {
  const char* path = strchr(text, ' ');
  if (path == nullptr) return true;
  const size_t type_length = static_cast<size_t>(path - text);
  path++;
  struct statfs fs;
  if (::statfs(path, &fs) < 0 || strncmp(fs.f_fstypename, text, type_length) != 0) return true;
  if (fs.f_fstypename[type_length] != '\0') return true;
  if (strncmp(fs.f_mntonname, path, sizeof fs.f_mntonname - 1) != 0) return true;
  return unmount_for_sure(path, error);
}

bool undo_folder(const char* path, Error* error) {
  return rmdir(path) == 0 || errno == ENOENT || fail(error, "unmount", "rmdir", path);
}

// The restart undid everything else.
bool undo_folders(const Lines& lines) {
  Error ignored;
  for (size_t i = lines.count - 1; i > 0; i--) {
    const char* folder = after(lines.at[i], "folder");
    if (folder != nullptr) undo_folder(folder, &ignored);
  }
  return true;
}

bool undo_line(int state, uint32_t jail, const Lines& lines, size_t i, bool was_mounted,
               Error* error) {
  const char* line = lines.at[i];
  if (const char* alias = after(line, "alias"))
    return undo_alias(state, jail, alias, line - lines.text, error);
  if (const char* folder = after(line, "folder")) return undo_folder(folder, error);
  if (const char* rules = after(line, "rules")) return devfs_clear_rules(rules, error);
  if (const char* mounted = after(line, "mounted"))
    return undo_mounted(state, jail, mounted, error);
  const char* mount = after(line, "mount");
  return mount == nullptr || was_mounted || undo_mount(mount, error);
}

// "mount" directly followed by its "mounted".
bool is_confirmed(const Lines& lines, size_t i) {
  return after(lines.at[i], "mount") != nullptr && i + 1 < lines.count &&
         after(lines.at[i + 1], "mounted") != nullptr;
}

void report(const Undoing& undoing, const char* line, const Error* error) {
  if (undoing.report != nullptr && after(line, "boot") == nullptr) {
    undoing.report(undoing.context, line, error);
  }
}

// What is left, in its order: `kept` marks the lines.
void rewrite(int ledger, const Lines& lines, const bool* kept) {
  cut_ledger(ledger, 0);
  Error ignored;
  off_t before;
  for (size_t i = 0; i < lines.count; i++) {
    char* rest = kept[i] ? strchr(lines.at[i], ' ') : nullptr;
    if (rest == nullptr) continue;
    *rest = '\0';
    write_ledger(ledger, lines.at[i], rest + 1, &before, &ignored);
  }
}

}  // namespace

bool open_ledger(int state, uint32_t id, UniqueFd* ledger, Error* error) {
  char name[64];
  ledger_name(id, name);
  ledger->reset(openat(state, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  return *ledger || fail(error, kStep, "open", name);
}

bool begin_ledger(int ledger, Error* error) {
  char boot[48];
  off_t before;
  if (!boot_id(boot, sizeof boot)) return fail(error, kStep, "sysctl", "kern.proc");
  return write_ledger(ledger, "boot", boot, &before, error);
}

bool write_ledger(int ledger, const char* kind, const char* rest, off_t* before, Error* error) {
  char text[1600];
  const int n = snprintf(text, sizeof text, "%s %s\n", kind, rest);
  if (n <= 0 || static_cast<size_t>(n) >= sizeof text || strchr(rest, '\n') != nullptr) {
    return fail(error, kStep, "write", rest, EINVAL);
  }
  *before = lseek(ledger, 0, SEEK_END);
  return write(ledger, text, static_cast<size_t>(n)) == n || fail(error, kStep, "write", "ledger");
}

void cut_ledger(int ledger, off_t length) {
  if (ftruncate(ledger, length) < 0) return;  // then there is a line too many, which undoes nothing
}

bool undo_ledger(int state, uint32_t id, const Undoing& undoing, Error* error) {
  UniqueFd ledger;
  Lines lines;
  char boot[48];
  if (!open_ledger(state, id, &ledger, error)) return error->number == ENOENT;
  if (!read_lines(ledger.get(), &lines)) return fail(error, kStep, "read", "ledger");
  if (lines.count == 0) return true;
  const char* written = after(lines.at[0], "boot");
  if (written == nullptr || !boot_id(boot, sizeof boot))
    return fail(error, kStep, "read", "ledger", EINVAL);
  if (strcmp(written, boot) != 0) return undo_folders(lines);
  bool kept[kMaxLines] = {true};
  bool all = true;
  for (size_t i = lines.count - 1; i > 0; i--) {
    Error failed;
    const bool confirmed = is_confirmed(lines, i);
    const bool undone = undo_line(state, id, lines, i, confirmed, &failed);
    if (!confirmed) step_done(after(lines.at[i], "alias") != nullptr ? "address" : "mount");
    if (!confirmed) report(undoing, lines.at[i], undone ? nullptr : &failed);
    kept[i] = !undone;
    if (undone) continue;
    if (all) *error = failed;
    all = false;
  }
  if (!all)
    rewrite(ledger.get(), lines, kept);
  else
    cut_ledger(ledger.get(), 0);
  return all;
}

bool is_shared_alias(int state, uint32_t id, const char* interface, const Address& address) {
  AliasSearch search = {state, true, state, id, interface, &address, "", false};
  if (!boot_id(search.boot, sizeof search.boot)) return false;
  if (look_into_registry(&search, state)) each_registry(look_into_registry, &search);
  return search.found;
}

bool is_noted_mount(int state, const FsId& mount, uint32_t* id) {
  struct Search {
    int state;
    FsId mount;
    uint32_t* id;
    char boot[48];
    bool found;
  } search = {state, mount, id, "", false};
  if (!boot_id(search.boot, sizeof search.boot)) return false;
  const auto look = [](void* context, uint32_t jail) {
    Search* s = static_cast<Search*>(context);
    return visit_ledger(s->state, jail, s->boot, [s, jail](const Lines& lines) {
      for (size_t i = 1; i < lines.count && !s->found; i++) {
        FsId noted;
        const char* text = after(lines.at[i], "mounted");
        s->found = text != nullptr && take_id(&text, &noted) && noted == s->mount;
      }
      if (s->found) *s->id = jail;
      return !s->found;
    });
  };
  each_jid(state, look, &search);
  return search.found;
}

size_t ledger_mounts(int state, uint32_t id, FsId* out, size_t max) {
  UniqueFd ledger;
  Lines lines;
  Error ignored;
  if (!open_ledger(state, id, &ledger, &ignored) || !read_lines(ledger.get(), &lines)) return 0;
  size_t count = 0;
  for (size_t i = 0; i < lines.count && count < max; i++) {
    const char* text = after(lines.at[i], "mounted");
    if (text == nullptr) continue;
    if (take_id(&text, &out[count])) count++;
  }
  return count;
}

}  // namespace dfjail
