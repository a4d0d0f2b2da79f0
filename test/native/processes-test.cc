// The reader of /proc: its parsers fed with hostile text, and a pid namespace with hostile
// processes in it. Prints TAP, exits non-zero when a case failed. Works as root and as an ordinary
// user who may make user namespaces; without them only the parsers are tested.
#include "../../native/linux/processes.hh"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <initializer_list>

#include "../../native/linux/proc_parse.hh"

using dfjail::Entry;
using dfjail::Process;
using dfjail::StatusParser;

namespace {

bool without_children_files = false;

}  // namespace

// Stands before the C library's: the reader asks with it whether /proc has children files.
extern "C" int access(const char* path, int mode) {
  if (!without_children_files)
    return static_cast<int>(syscall(SYS_faccessat, AT_FDCWD, path, mode));
  errno = ENOENT;
  return -1;
}

namespace {

constexpr int kNoState = -1;  // no registry: the jail has no guest monitors
constexpr size_t kMaxFound = 4096;

bool failed = false;

void check(bool good, const char* what, int line) {
  if (good) return;
  failed = true;
  printf("# line %d: %s\n", line, what);
}

#define CHECK(condition) check((condition), #condition, __LINE__)

void pause_ms(long ms) {
  const timespec time = {ms / 1000, ms % 1000 * 1'000'000};
  nanosleep(&time, nullptr);
}

// ---- parsers

constexpr const char* kNumbers =
    " 1 12 13 34816 12 4194304 9 8 7 6 50 25 3 2 20 0 4 0 987654321 4096000 77 "
    "18446744073709551615 1 2 3 4 5\n";

bool parse(const char* name, Process* out) {
  char text[512];
  const int size = snprintf(text, sizeof text, "12 (%s) S%s", name, kNumbers);
  return dfjail::parse_stat(text, static_cast<size_t>(size), out);
}

void hostile_names() {
  const char* names[] = {"a",         "",   ")",           "(",           ") R 1 1 1",
                         "a) S 1 (b", "\n", "a b\tc\n) Z", "\xff\x01) S", "()()("};
  for (const char* name : names) {
    Process process;
    CHECK(parse(name, &process));
    CHECK(strcmp(process.command, name) == 0);
    CHECK(process.state == 'S' && process.parent == 1 && process.group == 12 &&
          process.session == 13);
    CHECK(process.terminal == 34816 && process.cpu_ticks == 75 && process.threads == 4);
    CHECK(process.start_ticks == 987654321 && process.virtual_size == 4096000 && process.rss == 77);
  }
}

void long_name_is_cut() {
  char name[200];
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  Process process;
  CHECK(parse(name, &process));
  CHECK(strlen(process.command) == sizeof process.command - 1 && process.threads == 4);
}

void cut_text_is_refused() {
  char text[512];
  const int size = snprintf(text, sizeof text, "12 (na)me) S%s", kNumbers);
  const char* last = strstr(text, " 77 ");
  for (int n = 0; n < size; n++) {
    char* copy = static_cast<char*>(
        malloc(static_cast<size_t>(n) + 1));  // so that a sanitizer sees every overrun
    memcpy(copy, text, static_cast<size_t>(n));
    Process process;
    const bool complete = text + n > last + 1;  // one digit of the last field is a number, too
    CHECK(dfjail::parse_stat(copy, static_cast<size_t>(n), &process) == complete);
    free(copy);
  }
}

void random_text_does_no_harm() {
  srandom(7);
  for (int round = 0; round < 20000; round++) {
    const size_t size = static_cast<size_t>(random() % 200);
    char* text = static_cast<char*>(malloc(size + 1));
    for (size_t i = 0; i < size; i++) text[i] = "() \n-0123456789SNspidUG:\tx"[random() % 26];
    Process process;
    dfjail::parse_stat(text, size, &process);
    StatusParser parser(&process);
    parser.feed(text, size);
    free(text);
  }
}

void feed_in_pieces(const char* text, size_t size, size_t piece, Process* out) {
  StatusParser parser(out);
  for (size_t at = 0; at < size; at += piece)
    parser.feed(text + at, size - at < piece ? size - at : piece);
  CHECK(parser.finished());
}

void status_with_many_groups() {
  const size_t capacity = 1 << 20;
  char* text = static_cast<char*>(malloc(capacity));
  int used = snprintf(
      text, capacity,
      "Name:\tUid: 7\\nNSpid:\t9\nUid:\t1\t1879048192\t3\t4\nGid:\t5\t4294967294\t7\t8\nGroups:\t");
  for (int i = 0; i < 65536; i++)
    used += snprintf(text + used, capacity - static_cast<size_t>(used), "%d ", 1000000 + i);
  used += snprintf(text + used, capacity - static_cast<size_t>(used),
                   "\nNStgid:\t1 2\nNSpid:\t4711\t23\t5\nNSsid:\t1\n");
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{4096}, capacity}) {
    Process process;
    feed_in_pieces(text, static_cast<size_t>(used), piece, &process);
    CHECK(process.uid == 1879048192U && process.gid == 4294967294U);
    CHECK(process.levels == 3 && process.jail_pid == 23);
  }
  free(text);
}

// ---- a jail to look into: a pid namespace whose pid 1 does nothing but reap, and whose monitor is
// this process

Entry jail;

struct Seen {
  pid_t pid;
  pid_t parent;
  pid_t jail_pid;
  char state;
  uint32_t threads;
  char command[64];
  size_t arguments_size;
  char arguments[512];
};

struct Found {
  size_t count = 0;
  bool twice = false;
  Seen items[kMaxFound];
  const Seen* find(pid_t pid) const {
    for (size_t i = 0; i < count; i++) {
      if (items[i].pid == pid) return &items[i];
    }
    return nullptr;
  }
};

Found found;

void remember(void*, const Process& process) {
  if (found.find(process.pid) != nullptr) found.twice = true;
  if (found.count == kMaxFound) return;
  Seen& seen = found.items[found.count++];
  seen = {process.pid,
          process.parent,
          process.jail_pid,
          process.state,
          process.threads,
          "",
          process.arguments_size,
          ""};
  memcpy(seen.command, process.command, sizeof seen.command);
  const size_t kept = process.arguments_size < sizeof seen.arguments ? process.arguments_size
                                                                     : sizeof seen.arguments;
  if (kept > 0) memcpy(seen.arguments, process.arguments, kept);
}

void look(const Entry& entry = jail) {
  found.count = 0;
  found.twice = false;
  each_jail_process(kNoState, entry, remember, nullptr);
  CHECK(!found.twice);
  CHECK(found.find(entry.anchor) == nullptr);
}

[[noreturn]] void wait_forever() {
  for (;;) pause();
}

// Within the jail: it ends with the anchor at the latest.
template <typename Body>
pid_t start(Body body) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  body();
  wait_forever();
}

// Everything in the jail but the anchor, waited for.
void clear_jail() {
  signal_jail(kNoState, jail, SIGKILL);
  for (int tries = 0;
       tries < 500 && (has_process(kNoState, jail) || waitpid(-1, nullptr, WNOHANG) > 0); tries++)
    pause_ms(2);
  CHECK(!has_process(kNoState, jail));
}

// Looks until as many are there: they need a moment to start.
void look_for(size_t count) {
  for (int tries = 0; tries < 1000; tries++) {
    look();
    if (found.count >= count) return;
    pause_ms(5);
  }
}

bool write_map(const char* file, const char* text) {
  const int fd = open(file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = write(fd, text, strlen(text)) == static_cast<ssize_t>(strlen(text));
  close(fd);
  return written;
}

bool become_monitor() {
  char uids[32];
  char gids[32];
  if (geteuid() == 0) return unshare(CLONE_NEWPID) == 0;
  snprintf(uids, sizeof uids, "0 %u 1\n", geteuid());
  snprintf(gids, sizeof gids, "0 %u 1\n", getegid());
  if (unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0) return false;
  return write_map("/proc/self/uid_map", uids) && write_map("/proc/self/setgroups", "deny") &&
         write_map("/proc/self/gid_map", gids);
}

bool make_jail() {
  if (!become_monitor()) return false;
  jail.jid = 7;
  jail.monitor = getpid();
  jail.anchor = start([] {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
  });
  char path[64];
  struct stat info;
  snprintf(path, sizeof path, "/proc/%d/ns/pid", jail.anchor);
  if (jail.anchor < 0 || stat(path, &info) < 0) return false;
  jail.pid_namespace = info.st_ino;
  return true;
}

// ---- cases with processes

void empty_jail() {
  look();
  CHECK(found.count == 0);
  CHECK(!has_process(kNoState, jail));
  CHECK(signal_jail(kNoState, jail, 0) == 0);
}

void names_of_the_living() {
  const char* names[] = {") S 1 1", "a\nUid: 0", "((()))", " "};
  for (const char* name : names) {
    const pid_t pid = start([name] { prctl(PR_SET_NAME, name); });
    const Seen* seen = nullptr;
    for (int tries = 0; tries < 500 && (seen == nullptr || strcmp(seen->command, name) != 0);
         tries++) {
      pause_ms(2);
      look();
      seen = found.find(pid);
    }
    CHECK(seen != nullptr && strcmp(seen->command, name) == 0);
    CHECK(seen != nullptr && seen->parent == getpid() && seen->jail_pid > 1 && seen->threads == 1);
  }
  clear_jail();
}

const Seen* run(char* const argv[], size_t least) {
  const pid_t pid = start([argv] { execv("/proc/self/exe", argv); });
  const Seen* seen = nullptr;
  for (int tries = 0; tries < 500 && (seen == nullptr || seen->arguments_size < least); tries++) {
    pause_ms(2);
    look();
    seen = found.find(pid);
  }
  return seen;
}

void hostile_arguments() {
  char bytes[256];
  for (int i = 1; i < 256; i++) bytes[i - 1] = static_cast<char>(i);
  bytes[255] = '\0';
  char name[] = "--sleep";
  char newline[] = "\n) S 1\nUid:\t0";
  char empty[] = "";
  char* argv[] = {name, empty, bytes, newline, empty, nullptr};
  const size_t size = sizeof name + 1 + sizeof bytes + sizeof newline + 1;
  const Seen* seen = run(argv, size);
  CHECK(seen != nullptr && seen->arguments_size == size);
  if (seen != nullptr) {
    const char* at = seen->arguments;
    CHECK(strcmp(at, name) == 0);
    CHECK(at[sizeof name] == '\0');
    CHECK(memcmp(at + sizeof name + 1, bytes, sizeof bytes) == 0);
    CHECK(strcmp(at + sizeof name + 1 + sizeof bytes, newline) == 0);
  }
  clear_jail();
}

void wide_arguments() {
  char name[] = "--sleep";
  static char wide[100 * 1024];
  memset(wide, 'w', sizeof wide - 1);
  char* argv[] = {name, wide, nullptr};
  const Seen* seen = run(argv, 65536);
  CHECK(seen != nullptr && seen->arguments_size == 65536);
  CHECK(seen != nullptr && seen->arguments[100] == 'w');
  clear_jail();
}

void zombie() {
  const pid_t pid = start([] { _exit(0); });
  siginfo_t info;
  CHECK(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
  look();
  CHECK(found.count == 1 && found.items[0].pid == pid && found.items[0].state == 'Z');
  CHECK(found.items[0].arguments_size == 0);
  CHECK(!has_process(kNoState, jail));
  CHECK(signal_jail(kNoState, jail, 0) == 0);
  CHECK(waitpid(pid, nullptr, 0) == pid);
}

void* fork_in_thread(void*) {
  start([] {});
  wait_forever();
}

// A leader that has ended, with a thread that goes on, is a zombie that lives.
void threads() {
  const auto body = [](bool leader_ends) {
    pthread_t thread;
    for (int i = 0; i < 5; i++) pthread_create(&thread, nullptr, fork_in_thread, nullptr);
    if (leader_ends) syscall(SYS_exit, 0);
  };
  for (const bool leader_ends : {false, true}) {
    const pid_t pid = start([&] { body(leader_ends); });
    look_for(6);
    CHECK(found.count == 6);
    const Seen* seen = found.find(pid);
    CHECK(seen != nullptr && seen->threads == 6);
    CHECK(has_process(kNoState, jail));
    CHECK(signal_jail(kNoState, jail, 0) == 6);
    clear_jail();
  }
}

void descend(int levels) {
  while (levels-- > 0) {
    if (fork() != 0) wait_forever();
  }
}

void deep_tree() {
  start([] { descend(299); });
  look_for(300);
  CHECK(found.count == 300);
  clear_jail();
}

void wide_tree() {
  start([] {
    for (int i = 0; i < 1500; i++) {
      if (fork() == 0) wait_forever();
    }
  });
  look_for(1501);
  CHECK(found.count == 1501);
  CHECK(signal_jail(kNoState, jail, SIGKILL) == 1501);
  clear_jail();
}

void orphans() {
  start([] {
    setsid();
    if (fork() == 0) wait_forever();
    _exit(0);
  });
  for (int tries = 0; tries < 500; tries++) {
    look();
    if (found.count == 2 && found.find(jail.anchor) == nullptr) break;
    pause_ms(2);
  }
  CHECK(waitpid(-1, nullptr, 0) > 0);
  look();
  CHECK(found.count == 1 && found.items[0].parent == jail.anchor);
  CHECK(has_process(kNoState, jail));
  clear_jail();
}

[[noreturn]] void run_away() {
  for (;;) {
    const pid_t pid = fork();
    if (pid > 0) _exit(0);
    if (pid < 0) pause_ms(1);
    pause_ms(1);
  }
}

// They fork and leave all the time: nobody may be seen twice, and KILL has to get all of them.
void running_away() {
  for (int i = 0; i < 5; i++) start([] { run_away(); });
  for (int i = 0; i < 200; i++) look();
  for (int i = 0; i < 50 && has_process(kNoState, jail); i++) signal_jail(kNoState, jail, SIGKILL);
  clear_jail();
}

void signals() {
  const pid_t deaf = start([] { signal(SIGTERM, SIG_IGN); });
  const pid_t other = start([] {});
  pause_ms(50);
  CHECK(signal_jail(kNoState, jail, SIGTERM) == 2);
  int status = 0;
  CHECK(waitpid(other, &status, 0) == other && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  CHECK(waitpid(deaf, &status, WNOHANG) == 0);
  CHECK(signal_jail(kNoState, jail, SIGSTOP) == 1);
  CHECK(waitpid(deaf, &status, WUNTRACED) == deaf && WIFSTOPPED(status));
  look();
  CHECK(found.count == 1 && found.items[0].state == 'T');
  CHECK(signal_jail(kNoState, jail, SIGKILL) == 1);
  CHECK(waitpid(deaf, &status, 0) == deaf && WTERMSIG(status) == SIGKILL);
  CHECK(kill(jail.anchor, 0) == 0);
}

// As rootless: its /proc/PID/ns is closed to us then.
void not_dumpable() {
  const pid_t pid = start([] { prctl(PR_SET_DUMPABLE, 0); });
  pause_ms(50);
  look();
  CHECK(found.count == 1 && found.items[0].pid == pid);
  CHECK(signal_jail(kNoState, jail, 0) == 1);
  clear_jail();
}

void pid_namespace_below() {
  start([] {
    if (unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0 && fork() == 0) wait_forever();
  });
  look_for(2);
  CHECK(found.count == 2);
  CHECK(found.items[1].jail_pid > 1);  // as the jail counts, not as the namespace below it
  CHECK(signal_jail(kNoState, jail, SIGKILL) == 2);
  clear_jail();
}

// An entry that is out of date: the anchor's pid is somebody else's now.
void recycled_anchor() {
  start([] {});
  pause_ms(20);
  Entry old = jail;
  old.pid_namespace++;
  look(old);
  CHECK(found.count == 0);
  CHECK(!has_process(kNoState, old) && signal_jail(kNoState, old, SIGKILL) == 0);
  old = jail;
  old.anchor = getppid();
  look(old);
  CHECK(found.count == 0);
  old.anchor = 0;
  look(old);
  CHECK(found.count == 0);
  look();
  CHECK(found.count == 1);
  clear_jail();
}

pid_t outsider = 0;  // a child of the monitor from before the jail

void outsiders() {
  start([] {});
  pause_ms(20);
  look();
  CHECK(found.count == 1 && found.find(outsider) == nullptr);
  clear_jail();
  CHECK(kill(outsider, 0) == 0);
}

void remember_pid(void*, pid_t pid) {
  static dfjail::ProcessReader reader;
  Process process;
  if (reader.read(pid, &process)) remember(nullptr, process);
}

void whole_host() {
  const pid_t inside = start([] {});
  pause_ms(20);
  found.count = 0;
  dfjail::each_pid(remember_pid, nullptr);
  const Seen* self = found.find(getpid());
  CHECK(self != nullptr && self->parent == getppid() && self->jail_pid == getpid() &&
        self->state == 'R');
  CHECK(found.find(outsider) != nullptr && found.find(1) != nullptr);
  const Seen* jailed = found.find(inside);
  CHECK(jailed != nullptr);
  Process looked;
  looked.pid = inside;
  CHECK(dfjail::find_namespace(&looked) && looked.levels == 2 && looked.jail_pid > 1 &&
        looked.jail_pid != inside && looked.pid_namespace == jail.pid_namespace);
  Process self_again;
  self_again.pid = getpid();
  CHECK(dfjail::find_namespace(&self_again) && self_again.levels == 1);
  clear_jail();
}

// The reader asks the kernel once per process, so this needs one of its own, made before anybody
// else asks.
void no_children_files() {
  const pid_t pid = fork();
  if (pid == 0) {
    without_children_files = true;
    if (!make_jail()) _exit(2);
    for (int i = 0; i < 3; i++) start([] { start([] {}); });
    look_for(6);
    CHECK(found.count == 6);
    CHECK(has_process(kNoState, jail));
    CHECK(signal_jail(kNoState, jail, SIGKILL) == 6);
    clear_jail();
    _exit(failed ? 1 : 0);
  }
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

struct Case {
  const char* name;
  void (*run)();
  bool needs_jail;
};

constexpr Case kCases[] = {
    {"names with brackets, blanks and newlines are names", hostile_names, false},
    {"a long name is cut", long_name_is_cut, false},
    {"cut text is refused", cut_text_is_refused, false},
    {"random text does no harm", random_text_does_no_harm, false},
    {"65,536 groups in one line, in pieces of any size", status_with_many_groups, false},
    {"without children files everybody is looked at", no_children_files, true},
    {"an empty jail", empty_jail, true},
    {"processes that name themselves", names_of_the_living, true},
    {"arguments of all bytes, empty ones, newlines", hostile_arguments, true},
    {"arguments beyond 64 KiB are cut", wide_arguments, true},
    {"a zombie is listed, and does not live", zombie, true},
    {"children of threads, and a leader that ended before its threads", threads, true},
    {"a chain of 300 processes", deep_tree, true},
    {"1,500 children of one process", wide_tree, true},
    {"orphans are found below the anchor", orphans, true},
    {"processes that fork and leave", running_away, true},
    {"signals reach all but the anchor", signals, true},
    {"a process that is not dumpable", not_dumpable, true},
    {"a pid namespace below the jail's", pid_namespace_below, true},
    {"an entry whose anchor is gone", recycled_anchor, true},
    {"children of the monitor outside of the jail", outsiders, true},
    {"the whole host", whole_host, true},
};

bool can_make_jails() {
  const pid_t pid = fork();
  if (pid == 0) _exit(become_monitor() ? 0 : 1);
  int status = 1;
  waitpid(pid, &status, 0);
  return status == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[0], "--sleep") == 0)
    wait_forever();                     // as an example of a process with arguments
  setvbuf(stdout, nullptr, _IONBF, 0);  // children must not print it again
  constexpr size_t total = sizeof kCases / sizeof kCases[0];
  size_t counts[3] = {};  // passed, failed, skipped
  const bool jails = can_make_jails();
  printf("1..%zu\n", total);
  bool made = false;
  for (size_t i = 0; i < total; i++) {
    const Case& test = kCases[i];
    if (test.needs_jail && !jails) {
      counts[2]++;
      printf("ok %zu - %s # SKIP no namespaces for us here\n", i + 1, test.name);
      continue;
    }
    if (test.run == empty_jail && !made) {
      outsider = start([] { prctl(PR_SET_PDEATHSIG, SIGKILL); });
      made = make_jail();
      CHECK(made);
    }
    test.run();
    counts[failed ? 1 : 0]++;
    printf("%s %zu - %s\n", failed ? "not ok" : "ok", i + 1, test.name);
    failed = false;
  }
  if (outsider > 0) kill(outsider, SIGKILL);
  printf("# %zu passed, %zu failed, %zu skipped\n", counts[0], counts[1], counts[2]);
  _exit(counts[1] == 0
            ? 0
            : 1);  // a leak checker would start a helper now, which would be born inside the jail
}
