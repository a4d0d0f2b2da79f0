// What the addon does on several threads at the same time: the reader of /proc, the registry, the
// index and the hostnames, for ThreadSanitizer to watch. Prints TAP, exits non-zero when a case
// failed. The jails are processes of this test that play a monitor and its anchor.
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
#include <sys/wait.h>
#include <unistd.h>

#include "../../native/common/registry.hh"
#include "../../native/linux/hostname.hh"
#include "../../native/linux/index.hh"
#include "../../native/linux/processes.hh"

using dfjail::Entry;
using dfjail::Error;
using dfjail::Process;
using dfjail::UniqueFd;

namespace {

constexpr size_t kThreads = 8;
constexpr int kRounds = 50;
constexpr size_t kJails = 3;
// What a jail is called before and after it has renamed itself.
constexpr const char* kNames[] = {"before.example.org", "after.example.org"};

char folder[] = "/tmp/threads-test-XXXXXX";
UniqueFd state;
pid_t monitors[kJails];
uint32_t jids[kJails];

struct Verdict {
  bool good = true;
  const char* what = "";
};

void want(Verdict* verdict, bool good, const char* what) {
  if (good || !verdict->good) return;
  *verdict = {false, what};
}

uint64_t pid_namespace_of(pid_t pid) {
  char path[64];
  struct stat info;
  snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
  return stat(path, &info) == 0 ? info.st_ino : 0;
}

// ---- the jails

void fill_in(Entry* entry, size_t index) {
  entry->monitor = getpid();
  entry->anchor = getpid();
  entry->pid_namespace = pid_namespace_of(getpid());
  snprintf(entry->name, sizeof entry->name, "jail%zu", index);
  snprintf(entry->path, sizeof entry->path, "/jails/%zu", index);
  snprintf(entry->hostname, sizeof entry->hostname, "%s", kNames[0]);
}

// Renames itself and writes its entry anew, over and over, until it is killed.
[[noreturn]] void be_monitor(size_t index, int ready) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Entry entry;
  Error error;
  UniqueFd locks;
  fill_in(&entry, index);
  const bool own_name = unshare(CLONE_NEWUTS) == 0;
  if (!dfjail::register_jail(state.get(), &entry, &locks, &error)) _exit(1);
  if (!dfjail::write_entry(state.get(), entry, &error)) _exit(1);
  dfjail::publish_jail(state.get(), entry);
  if (write(ready, &entry.jid, sizeof entry.jid) != sizeof entry.jid) _exit(1);
  for (unsigned i = 1;; i++) {
    const char* name = kNames[i % 2];
    if (own_name && sethostname(name, strlen(name)) < 0) _exit(1);
    snprintf(entry.hostname, sizeof entry.hostname, "%s", name);
    if (!dfjail::write_entry(state.get(), entry, &error)) _exit(1);
    dfjail::publish_activity(i % 2 == 0 ? dfjail::Activity::kEmpty : dfjail::Activity::kRunning);
  }
}

bool start_jail(size_t index) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) < 0) return false;
  monitors[index] = fork();
  if (monitors[index] == 0) be_monitor(index, ready[1]);
  close(ready[1]);
  const ssize_t n = read(ready[0], &jids[index], sizeof jids[index]);
  close(ready[0]);
  return n == sizeof jids[index];
}

bool start_jails() {
  Error error;
  if (mkdtemp(folder) == nullptr || !dfjail::open_state(folder, &state, &error)) return false;
  for (size_t i = 0; i < kJails; i++) {
    if (!start_jail(i)) return false;
  }
  return true;
}

// ---- what a thread does

bool is_known(const char* hostname) {
  return strcmp(hostname, kNames[0]) == 0 || strcmp(hostname, kNames[1]) == 0;
}

void read_entries(Verdict* verdict) {
  UniqueFd locks;
  want(verdict, dfjail::open_locks(state.get(), &locks), "the locks open");
  for (size_t i = 0; i < kJails; i++) {
    Entry entry;
    pid_t monitor = 0;
    uint32_t jid = 0;
    char name[16];
    snprintf(name, sizeof name, "jail%zu", i);
    want(verdict, dfjail::is_alive(locks.get(), jids[i], &monitor), "a jail is alive");
    want(verdict, monitor == monitors[i], "its monitor is known");
    want(verdict, dfjail::read_entry(state.get(), jids[i], &entry), "its entry is read");
    want(verdict, is_known(entry.hostname), "the entry is a whole one");
    want(verdict, strcmp(entry.name, name) == 0, "it is that jail's");
    want(verdict, dfjail::find_name(state.get(), name, &jid), "its name is found");
    want(verdict, jid == jids[i], "it stands for that jail");
  }
}

void list_jails(Verdict* verdict) {
  size_t count = 0;
  dfjail::each_jid(
      state.get(),
      [](void* context, uint32_t) {
        ++*static_cast<size_t*>(context);
        return true;
      },
      &count);
  want(verdict, count == kJails, "all jails are listed");
}

void read_index(Verdict* verdict) {
  dfjail::Index index(state.get());
  want(verdict, static_cast<bool>(index), "the index is there");
  for (size_t i = 0; i < kJails && index; i++) {
    dfjail::IndexSlot slot;
    want(verdict, index.read(jids[i], &slot), "a slot is read");
    want(verdict, slot.anchor == monitors[i], "it is that jail's");
  }
}

void read_processes(Verdict* verdict) {
  struct Found {
    bool self = false;
    size_t count = 0;
  } found;
  dfjail::each_pid(
      [](void* context, pid_t pid) {
        auto* seen = static_cast<Found*>(context);
        seen->count++;
        seen->self = seen->self || pid == getpid();
      },
      &found);
  want(verdict, found.self && found.count > kJails, "the processes are listed");
  dfjail::ProcessReader reader;
  Process process;
  want(verdict, reader.read(getpid(), &process), "a process is read");
  want(verdict, process.arguments_size > 0, "its arguments too");
  Entry entry;
  entry.anchor = monitors[0];
  entry.monitor = monitors[0];
  entry.pid_namespace = pid_namespace_of(monitors[0]);
  want(verdict, !dfjail::has_process(state.get(), entry), "a jail of nobody has no process");
}

void ask_hostnames(Verdict* verdict) {
  dfjail::HostnameQuery queries[kJails];
  for (size_t i = 0; i < kJails; i++) {
    queries[i].anchor = monitors[i];
    queries[i].pid_namespace = pid_namespace_of(monitors[i]);
  }
  dfjail::current_hostnames(queries, kJails);
  for (const dfjail::HostnameQuery& query : queries)
    want(verdict, is_known(query.hostname), "a jail's own hostname is told");
}

// ---- all of them at once

struct Case {
  const char* name;
  void (*run)(Verdict* verdict);
  bool needs_root;
};

struct Worker {
  pthread_t thread;
  const Case* test;
  Verdict verdict;
};

void* work(void* argument) {
  auto* worker = static_cast<Worker*>(argument);
  for (int i = 0; i < kRounds && worker->verdict.good; i++) worker->test->run(&worker->verdict);
  return nullptr;
}

Verdict run_on_threads(const Case* tests, size_t count) {
  Worker workers[kThreads] = {};
  for (size_t i = 0; i < kThreads; i++) {
    workers[i].test = &tests[i % count];
    if (pthread_create(&workers[i].thread, nullptr, work, &workers[i]) != 0)
      return {false, "a thread starts"};
  }
  for (Worker& worker : workers) pthread_join(worker.thread, nullptr);
  for (const Worker& worker : workers) {
    if (!worker.verdict.good) return worker.verdict;
  }
  return {};
}

constexpr Case kCases[] = {
    {"entries are read while their monitors write them", read_entries, false},
    {"the registry is listed", list_jails, false},
    {"the index is read while monitors change it", read_index, false},
    {"processes are read", read_processes, false},
    {"hostnames are asked while jails rename themselves", ask_hostnames, true},
};
constexpr size_t kCount = sizeof kCases / sizeof kCases[0];

bool report(size_t number, const char* name, const Verdict& verdict) {
  if (!verdict.good) printf("# not so: %s\n", verdict.what);
  printf("%s %zu - on %zu threads: %s\n", verdict.good ? "ok" : "not ok", number, kThreads, name);
  return verdict.good;
}

bool run_cases() {
  const bool root = geteuid() == 0;
  bool good = true;
  for (size_t i = 0; i < kCount; i++) {
    if (kCases[i].needs_root && !root) {
      printf("ok %zu - %s # SKIP only root may ask without a child\n", i + 1, kCases[i].name);
      continue;
    }
    good = report(i + 1, kCases[i].name, run_on_threads(&kCases[i], 1)) && good;
  }
  const size_t allowed = root ? kCount : kCount - 1;
  return report(kCount + 1, "all of that at once", run_on_threads(kCases, allowed)) && good;
}

void end_jails() {
  Error error;
  for (size_t i = 0; i < kJails; i++) {
    if (monitors[i] <= 0) continue;
    kill(monitors[i], SIGKILL);
    waitpid(monitors[i], nullptr, 0);
    dfjail::sweep_jail(state.get(), jids[i], &error);
  }
  const char* const files[] = {"locks", "next", "mutex", "index"};
  for (const char* file : files) unlinkat(state.get(), file, 0);
  unlinkat(state.get(), "names", AT_REMOVEDIR);
  unlinkat(state.get(), "jails", AT_REMOVEDIR);
  rmdir(folder);
}

}  // namespace

int main() {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  printf("1..%zu\n", kCount + 1);
  const bool started = start_jails();
  if (!started) printf("# the jails could not be made: %s\n", strerror(errno));
  const bool good = started && run_cases();
  end_jails();
  return good ? 0 : 1;
}
