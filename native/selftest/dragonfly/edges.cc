#include "edges.hh"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../common/registry.hh"
#include "../../dragonfly/alias.hh"
#include "../../dragonfly/anchor.hh"
#include "../../dragonfly/child.hh"
#include "../../dragonfly/jail_calls.hh"
#include "../../dragonfly/killing.hh"
#include "../../dragonfly/mount.hh"
#include "../../dragonfly/processes.hh"
#include "../../dragonfly/recover.hh"
#include "../../monitor/spec.hh"
#include "../tap.hh"

namespace selftest {
namespace {

using dfjail::Error;
using dfjail::MountSpec;
using dfjail::MountType;
using dfjail::Type;
using dfjail::UniqueFd;

// ---- as many and as long as the list can hold

void test_address_count(const Scene& scene, int count) {
  static char texts[64][32];
  char wanted[1200];
  char what[48];
  Spec spec = plain(scene);
  Client client;
  size_t used = 0;
  char row[1000] = "";
  for (int i = 0; i < count; i++) {
    const int last = i / 2 + 1;
    snprintf(texts[i], sizeof texts[i], i % 2 == 0 ? "10.7.0.%d" : "fd00:7::%x", last);
    spec.address(texts[i]);
    used += static_cast<size_t>(snprintf(row + used, sizeof row - used,
                                         i % 2 == 0 ? " 10.7.0.%d" : " fd00:0007::%04x", last));
  }
  snprintf(what, sizeof what, "%d addresses", count);
  const uint32_t jid = make(&client, scene, spec, what);
  if (jid == 0) return;
  snprintf(wanted, sizeof wanted, "%u selftest %s%s", jid, scene.root->path, row);
  is_text(listed(jid), wanted, "they are listed in the order in which they were given");
  says(&client, program("echo", "in"), "in\n", "a program runs");
  stop(&client, jid, what);
}

// With the hostname that a jail may give itself these are more than its share of the list: the
// kernel would refuse the list to everybody, or write behind its buffer.
void test_too_many(const Scene& scene) {
  static char texts[64][32];
  Client client;
  Spec spec = plain(scene);
  for (int i = 0; i < 64; i++) {
    snprintf(texts[i], sizeof texts[i], "10.7.100.%d", 100 + i);
    spec.address(texts[i]);
  }
  if (!client.start(scene.options->monitor) || !client.hello()) return;
  const Message answer = client.receive(client.create(scene.root->state, spec), 30000);
  refused(refusal_of(answer), "jail", 0, "ERR_JAIL_LIMIT", "64 long addresses");
  client.reap();
}

void test_address_counts(const Scene& scene) {
  const int counts[] = {0, 1, 2, 17, 56};
  for (const int count : counts) test_address_count(scene, count);
  test_too_many(scene);
  if (scene.options->fast) return;
  Client client;
  Spec spec = plain(scene);
  spec.address("fe80::61");
  spec.interface = "lo0";
  const uint32_t jid = make(&client, scene, spec, "link-local");
  check(host_has("fe80::61"), "link-local: it is on the interface");
  stop(&client, jid, "link-local");
  check(!host_has("fe80::61"), "link-local: and gone from it");
}

// Whoever ends last takes it away, a jail that has to be recovered included.
void test_shared_address(const Scene& scene) {
  if (scene.options->fast) return skip("shared address", "--fast");
  Spec spec = plain(scene);
  spec.address("10.63.0.1");
  spec.address("fd00:63::1");
  spec.interface = "lo0";
  Client first;
  Client second;
  Client third;
  const uint32_t one = make(&first, scene, spec, "shared address, first");
  const uint32_t two = make(&second, scene, spec, "shared address, second");
  const uint32_t three = make(&third, scene, spec, "shared address, third");
  stop(&first, one, "shared address, first");
  check(host_has("10.63.0.1") && host_has("fd00:63::1"), "shared address: the others keep it");
  kill(third.pid(), SIGKILL);
  third.reap();
  stop(&second, two, "shared address, second");
  check(host_has("10.63.0.1") && host_has("fd00:63::1"), "shared address: also one that is lost");
  UniqueFd state;
  Error error;
  check(dfjail::open_state(scene.root->state, &state, &error) &&
            dfjail::recover_jail(state.get(), three, dfjail::Undoing(), &error),
        "shared address: which is recovered");
  check(!host_has("10.63.0.1") && !host_has("fd00:63::1"), "shared address: it is gone");
  nothing_left(scene, "shared address");
}

constexpr const char* kFolders[] = {"dev", "proc", "tmp", "null"};

// Folders in folders below the root, with the program in the last.
bool make_deep_root(const Scene& scene, char* path, size_t size, size_t wanted) {
  char folder[201];
  memset(folder, 'd', 200);
  folder[200] = '\0';
  snprintf(path, size, "%s", scene.root->path);
  for (size_t n = strlen(path); n + 2 < wanted; n = strlen(path)) {
    const size_t more = wanted - n - 1 < 200 ? wanted - n - 1 : 200;
    snprintf(path + n, size - n, "/%s", folder + 200 - more);
    if (mkdir(path, 0755) < 0) return false;
  }
  char name[1024];
  for (const char* inner : kFolders) {
    snprintf(name, sizeof name, "%s/%s", path, inner);
    if (mkdir(name, 0755) < 0) return false;
  }
  snprintf(name, sizeof name, "%s/selftest", path);
  return link(below(scene.root->path, "selftest"), name) == 0;
}

void remove_deep_root(const Scene& scene, char* path) {
  char name[1024];
  for (const char* inner : kFolders) {
    snprintf(name, sizeof name, "%s/%s", path, inner);
    rmdir(name);
  }
  snprintf(name, sizeof name, "%s/selftest", path);
  unlink(name);
  for (char* end; strlen(path) > strlen(scene.root->path); *end = '\0') {
    rmdir(path);
    end = strrchr(path, '/');
  }
}

int count_all_mounts() {
  dfjail::MountList list;
  return list.read() ? static_cast<int>(list.size()) : -1;
}

void test_longest(const Scene& scene) {
  char path[1024];
  char hostname[256];
  memset(hostname, 'h', 255);
  hostname[255] = '\0';
  const int mounts = count_all_mounts();
  if (!check(make_deep_root(scene, path, sizeof path, 700), "deep: a root of 700 bytes is made"))
    return;
  Client client;
  Spec spec = plain(scene);
  spec.path = path;
  spec.hostname = hostname;
  spec.mount(MountType::kDevfs, "/dev");
  spec.mount(MountType::kProcfs, "/proc");
  spec.mount(MountType::kTmpfs, "/tmp", "", 0, "size=1m");
  spec.mount(MountType::kNullfs, "/null", "/bin", MountSpec::kReadOnly);
  const uint32_t jid = make(&client, scene, spec, "deep");
  if (jid != 0) {
    char line[260];
    snprintf(line, sizeof line, "%s\n", hostname);
    says(&client, program("hostname"), line, "deep: a hostname of 255 bytes");
    says(&client, program("mounts"), "null /dev\nprocfs /proc\ntmpfs /tmp\nnull /null\n",
         "deep: its mounts are there");
    stop(&client, jid, "deep");
  }
  is(count_all_mounts(), mounts, "deep: no mount is left on the host");
  remove_deep_root(scene, path);
  nothing_left(scene, "deep");
}

// ---- mounts

void test_read_only(const Scene& scene) {
  Client client;
  Spec spec = plain(scene);
  mkdir(below(scene.root->path, "home/shared"), 0755);
  spec.mount(MountType::kNullfs, "/null", below(scene.root->path, "home"), MountSpec::kReadOnly);
  spec.mount(MountType::kTmpfs, "/tmp", "", MountSpec::kReadOnly);
  const uint32_t jid = make(&client, scene, spec, "read-only");
  says(&client, program("write", "/null/file"), "Read-only file system\n", "read-only: a nullfs");
  says(&client, program("write", "/tmp/file"), "Read-only file system\n", "read-only: a tmpfs");
  says(&client, program("write", "/home/file"), "written\n", "read-only: its source is not");
  stop(&client, jid, "read-only");
  unlink(below(scene.root->path, "home/file"));
  rmdir(below(scene.root->path, "home/shared"));
  nothing_left(scene, "read-only");
}

// Somebody on the host stands in a mount of the jail's.
void test_busy(const Scene& scene) {
  Client client;
  Spec spec = plain(scene);
  spec.mount(MountType::kTmpfs, "/tmp");
  const uint32_t jid = make(&client, scene, spec, "busy mount");
  const pid_t visitor = fork();
  if (visitor == 0) {
    if (chdir(below(scene.root->path, "tmp")) < 0) _exit(1);
    for (;;) pause();
  }
  pause_for(100);
  stop(&client, jid, "busy mount");
  nothing_left(scene, "busy mount");
  kill(visitor, SIGKILL);
  waitpid(visitor, nullptr, 0);
}

// The inmates give a folder above a mount another name.
void test_moved(const Scene& scene) {
  Client client;
  Spec spec = plain(scene);
  mkdir(below(scene.root->path, "home/inner"), 0755);
  spec.mount(MountType::kTmpfs, "/home/inner");
  spec.mount(MountType::kNullfs, "/null", "/bin");
  const uint32_t jid = make(&client, scene, spec, "moved");
  says(&client, program("rename", "/home", "/away"), "renamed\n", "moved: a mount's folder moves");
  stop(&client, jid, "moved");
  nothing_left(scene, "moved");
  rename(below(scene.root->path, "away"), below(scene.root->path, "home"));
  rmdir(below(scene.root->path, "home/inner"));
}

void test_mounts_of_inmates(const Scene& scene) {
  Client client;
  Spec spec = plain(scene);
  spec.capabilities |= dfjail::kMountTmpfs | dfjail::kMountNullfs;
  spec.mount(MountType::kTmpfs, "/tmp");
  spec.mount(MountType::kNullfs, "/null", "/bin");
  const uint32_t jid = make(&client, scene, spec, "mounting");
  says(&client, program("mountdeep", "/home"), "", "mounting: four mounts in each other");
  says(&client, program("mountover", "/null"), "", "mounting: one over the host's");
  says(&client, program("mountover", "/home/deeper/deeper"), "", "mounting: and one among its own");
  check(client.receive(client.capabilities(dfjail::kSetHostname)).type == Type::kDone,
        "mounting: the capabilities are taken away");
  stop(&client, jid, "mounting");
  nothing_left(scene, "mounting");
}

// ---- who holds a jail

// In a jail of its own, as jail(8) makes it.
pid_t start_holder(const char* path, uint32_t* jid) {
  int ends[2];
  if (pipe(ends) < 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    for (int fd = 3; fd < 64; fd++) {
      if (fd != ends[1]) close(fd);
    }
    const int made = chdir(path) == 0 ? dfjail::jail_create(path, "holder", nullptr, 0) : -1;
    if (write(ends[1], &made, sizeof made) < 0) _exit(1);
    for (;;) pause();
  }
  close(ends[1]);
  int made = -1;
  if (read(ends[0], &made, sizeof made) != sizeof made) made = -1;
  close(ends[0]);
  *jid = made > 0 ? static_cast<uint32_t>(made) : 0;
  return child;
}

bool enter(Client* guest, const Scene& scene, uint32_t jid) {
  return guest->start(scene.options->monitor) && guest->hello() &&
         ready(guest->receive(guest->attach(scene.root->state, jid))) == jid;
}

void test_only_a_zombie(const Scene& scene) {
  uint32_t jid = 0;
  const pid_t holder = start_holder(scene.root->path, &jid);
  kill(holder, SIGKILL);
  pause_for(200);
  check(jid != 0 && dfjail::jail_exists(jid), "zombie: it alone keeps a jail");
  Client guest;
  check(enter(&guest, scene, jid), "zombie: that can be entered");
  says(&guest, program("hostname"), "holder\n", "zombie: a program runs in it");
  waitpid(holder, nullptr, 0);
  check(guest.receive(0, 10000).type == Type::kGone, "zombie: the guest hears when it is reaped");
  is(guest.reap(), 0, "zombie: its monitor ends");
  check(!dfjail::jail_exists(jid), "zombie: the jail is gone");
}

void test_only_a_socket(const Scene& scene) {
  UniqueFd anchor;
  uint32_t jid = 0;
  Error error;
  dfjail::raise_jail(scene.root->path, "socket", nullptr, 0, &anchor, &jid, &error);
  {
    Client guest;
    check(enter(&guest, scene, jid), "socket: a jail without a process is entered");
    says(&guest, program("hostname"), "socket\n", "socket: a program runs in it");
  }
  check(dfjail::jail_exists(jid), "socket: it stays when the guest leaves");
  Client guest;
  check(enter(&guest, scene, jid), "socket: it is entered again");
  uint32_t pid = 0;
  check(start_staying(&guest, "stay", "1", &pid) != 0, "socket: something runs");
  const int64_t start = dfjail::now_in_milliseconds();
  const Refusal no = refusal_of(guest.receive(guest.stop(SIGTERM, 100), 30000));
  const int64_t took = dfjail::now_in_milliseconds() - start;
  refused(no, "kill", EBUSY, "", "socket: a guest cannot end what is held from outside");
  check(took < 3000, "socket: which is not waited for long beyond the grace (%d ms)",
        static_cast<int>(took));
  is(dfjail::count_living(jid), 0, "socket: what ran is killed all the same");
  anchor.reset();
  check(dfjail::wait_until_gone(jid, 2000), "socket: it goes with the socket");
}

// Somebody on the host entered and has an ended child there that it does not reap.
void test_unreaped(const Scene& scene) {
  Client client;
  const uint32_t jid = make(&client, scene, plain(scene), "unreaped");
  const pid_t visitor = fork();
  if (visitor == 0) {
    for (int fd = 3; fd < 64; fd++) close(fd);
    _exit(dfjail::jail_enter(static_cast<int>(jid)) == 0 ? 0 : 1);
  }
  pause_for(200);
  const int64_t start = dfjail::now_in_milliseconds();
  const Refusal no = refusal_of(client.receive(client.stop(SIGTERM, 100), 30000));
  const int64_t took = dfjail::now_in_milliseconds() - start;
  refused(no, "release", EBUSY, "", "unreaped: a zombie keeps the jail");
  check(strstr(no.detail, "zombie") != nullptr, "unreaped: which is named");
  check(took < 3000, "unreaped: it is not waited for long beyond the grace (%d ms)",
        static_cast<int>(took));
  waitpid(visitor, nullptr, 0);
  check(dfjail::wait_until_gone(jid, 2000), "unreaped: it is gone when that is reaped");
  client.reap();
  nothing_left(scene, "unreaped");
}

void test_deleted_root(const Scene& scene) {
  const char* path = below(scene.root->path, "home/doomed");
  const char* file = below(path, "selftest");
  mkdir(path, 0755);
  if (link(below(scene.root->path, "selftest"), file) < 0) return;
  Client client;
  Spec spec = plain(scene);
  spec.path = path;
  const uint32_t jid = make(&client, scene, spec, "deleted root");
  uint32_t pid = 0;
  check(start_staying(&client, "stay", "1", &pid) != 0, "deleted root: something runs");
  unlink(file);
  check(rmdir(path) == 0, "deleted root: it is deleted");
  check(strstr(listed(jid), path) != nullptr, "deleted root: the kernel still lists it");
  stop(&client, jid, "deleted root");
  is(dfjail::count_living(jid), 0, "deleted root: nothing runs");
  nothing_left(scene, "deleted root");
}

// ---- sudden ends

void test_multiplying(const Scene& scene) {
  Client client;
  const uint32_t jid = make(&client, scene, plain(scene), "multiplying");
  int out[2];
  uint32_t command = 0;
  Result result;
  const dfjail::Limit limit = {1, 150, 150};
  Program what = program("multiply");
  what.uid = 4321;
  what.gid = 4321;
  what.limit = &limit;
  if (pipe2(out, O_CLOEXEC) < 0) return;
  const UniqueFd from(out[0]);
  what.stdio[1] = out[1];
  check(start(&client, what, &command, &result), "multiplying: it starts");
  close(out[1]);
  int living = 0;
  for (int i = 0; i < 50 && living < 100; i++) {
    pause_for(200);
    living = dfjail::count_living(jid);
  }
  check(living > 50, "multiplying: there are %d of it", living);
  stop(&client, jid, "multiplying");
  is(dfjail::count_living(jid), 0, "multiplying: nothing is left of it");
  nothing_left(scene, "multiplying");
}

bool recover_each(void* state, uint32_t id) {
  Error error;
  const bool done = dfjail::recover_jail(*static_cast<int*>(state), id, dfjail::Undoing(), &error);
  if (!done) {
    note("%u: %s %s %s %d %s", id, error.step, error.syscall, error.path, error.number,
         error.detail);
  }
  return true;
}

void fill(Spec* spec, const Scene& scene) {
  if (!scene.options->fast) spec->interface = "lo0";
  spec->address("127.0.0.62");
  spec->address("fd00:62::1");
  spec->capabilities |= dfjail::kMountTmpfs;
  spec->mount(MountType::kDevfs, "/dev");
  spec->mount(MountType::kProcfs, "/proc");
  spec->mount(MountType::kTmpfs, "/tmp");
  spec->mount(MountType::kNullfs, "/null", "/bin", MountSpec::kReadOnly);
}

enum class Moment { kSpawn, kStop };

// What the monitor is at when it is killed.
void busy_with(Client* client, Moment moment) {
  if (moment == Moment::kStop) {
    client->stop(SIGTERM, 5);
  } else {
    for (int i = 0; i < 5; i++) client->spawn(program("stay", "1"));
  }
}

void test_killed_at(const Scene& scene, Moment moment, unsigned step, const char* what) {
  constexpr int kRounds = 25;
  UniqueFd state;
  Error error;
  if (!check(dfjail::open_state(scene.root->state, &state, &error), "%s: the registry", what))
    return;
  int number = state.get();
  int clean = 0;
  for (int i = 0; i < kRounds; i++) {
    Client client;
    Spec spec = plain(scene);
    fill(&spec, scene);
    if (!client.start(scene.options->monitor) || !client.hello()) break;
    const uint32_t jid = ready(client.receive(client.create(scene.root->state, spec), 30000));
    uint32_t pid = 0;
    if (jid == 0 || start_staying(&client, "stay", "1", &pid) == 0) break;
    if (!run(&client, program("mount", "/home")).ran) break;
    busy_with(&client, moment);
    usleep(static_cast<unsigned>(i) * step);
    kill(client.pid(), SIGKILL);
    client.reap();
    client.hang_up();
    pause_for(5);
    dfjail::each_jid(state.get(), recover_each, &number);
    const bool gone = dfjail::wait_until_gone(jid, 100);
    clean += gone && dfjail::count_living(jid) == 0 && is_clean(scene) ? 1 : 0;
  }
  is(clean, kRounds, what);
}

void test_killed(const Scene& scene) {
  test_killed_at(scene, Moment::kSpawn, 500,
                 "killed: after a KILL at 25 moments of spawn, recovery leaves nothing");
  test_killed_at(scene, Moment::kStop, 3000,
                 "killed: after a KILL at 25 moments of stop, recovery leaves nothing");
}

}  // namespace

void test_edges(const Scene& scene) {
  test_address_counts(scene);
  test_shared_address(scene);
  test_longest(scene);
  test_read_only(scene);
  test_busy(scene);
  test_moved(scene);
  test_mounts_of_inmates(scene);
  test_only_a_zombie(scene);
  test_only_a_socket(scene);
  test_unreaped(scene);
  test_deleted_root(scene);
  test_multiplying(scene);
  test_killed(scene);
}

}  // namespace selftest
