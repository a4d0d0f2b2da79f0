#include "endings.hh"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>

#include "../../common/registry.hh"
#include "../../dragonfly/alias.hh"
#include "../../dragonfly/anchor.hh"
#include "../../dragonfly/child.hh"
#include "../../dragonfly/connections.hh"
#include "../../dragonfly/lingering.hh"
#include "../../dragonfly/mount.hh"
#include "../../dragonfly/processes.hh"
#include "../../dragonfly/recover.hh"
#include "../../monitor/spec.hh"
#include "../tap.hh"

namespace selftest {
namespace {

using dfjail::CommandSpec;
using dfjail::Error;
using dfjail::MountType;
using dfjail::Type;
using dfjail::UniqueFd;

// STOPPED within a time; the monitor ends.
void stops_in_time(Client* client, int grace, int most, const char* what) {
  const int64_t start = dfjail::now_in_milliseconds();
  const Message answer =
      client->receive(client->stop(SIGTERM, static_cast<uint32_t>(grace)), 60000);
  const int64_t took = dfjail::now_in_milliseconds() - start;
  const Refusal no = refusal_of(answer);
  check(answer.type == Type::kStopped, "%s: is stopped (%s %u %s)", what, no.step, no.number,
        no.detail);
  check(took < most, "%s: in time (%d ms)", what, static_cast<int>(took));
  is(client->reap(), 0, "its monitor ends");
}

// ---- connections

constexpr const char* kServed = "10.64.0.1";
constexpr int kPort = 8064;

// Until the server closes.
bool talk_to_server() {
  sockaddr_in address = {};
  char text[16];
  dfjail::Address host;
  dfjail::parse_address(kServed, &host);
  address.sin_len = sizeof address;
  address.sin_family = AF_INET;
  address.sin_port = static_cast<in_port_t>((kPort & 0xff) << 8 | kPort >> 8);
  memcpy(&address.sin_addr, host.bytes, 4);
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) return false;
  const bool greeted = read(fd.get(), text, sizeof text) == 6;
  return greeted && read(fd.get(), text, sizeof text) == 0;
}

bool count_one(void* context, const dfjail::Entry&) {
  *static_cast<int*>(context) += 1;
  return true;
}

// A server whose clients were served, ten times in a row under one name and address.
void test_served(const Scene& scene) {
  if (scene.options->fast) return skip("served", "--fast");
  char port[8];
  snprintf(port, sizeof port, "%d", kPort);
  for (int i = 0; i < 10; i++) {
    Client client;
    Spec spec = plain(scene);
    spec.name = "served";
    spec.address(kServed);
    spec.interface = "lo0";
    spec.mount(MountType::kTmpfs, "/tmp");
    const uint32_t jid = make(&client, scene, spec, "served");
    uint32_t pid = 0;
    if (jid == 0) return;
    check(start_staying(&client, "serve", port, &pid) != 0, "served: the server runs");
    check(talk_to_server(), "served: it has closed a connection");
    stops_in_time(&client, 200, 1500, "served");
    check(dfjail::has_ending_connection(kServed), "served: the kernel has its connection still");
    check(count_lingering(scene) == i + 1, "served: it lingers");
    nothing_left(scene, "served");
  }
}

// ---- terminals

bool open_terminal(UniqueFd* master, UniqueFd* slave) {
  master->reset(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!*master || grantpt(master->get()) < 0 || unlockpt(master->get()) < 0) return false;
  slave->reset(open(ptsname(master->get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  return static_cast<bool>(*slave);
}

// Nobody reads what the command shows.
void test_unread(const Scene& scene, const char* bytes, const char* what) {
  UniqueFd master;
  UniqueFd slave;
  Client client;
  const uint32_t jid = make(&client, scene, plain(scene), what);
  Program show = program("show", bytes);
  show.flags = CommandSpec::kTerminal;
  uint32_t command = 0;
  Result result;
  if (jid == 0 || !check(open_terminal(&master, &slave), "%s: a terminal", what)) return;
  for (int i = 0; i < 3; i++) show.stdio[i] = slave.get();
  check(start(&client, show, &command, &result), "%s: it starts", what);
  slave.reset();
  pause_for(300);
  is(dfjail::count_living(jid), 1, what);
  stops_in_time(&client, 100, 4000, what);
  check(!dfjail::jail_exists(jid), "%s: it is gone", what);
  nothing_left(scene, what);
}

// ---- mounts

void mounts_inside(const Scene& scene, const char* verb, const char* word, const char* what) {
  Client client;
  Spec spec = plain(scene);
  spec.capabilities |= dfjail::kMountTmpfs;
  spec.mount(MountType::kNullfs, "/null", "/bin");
  const uint32_t jid = make(&client, scene, spec, what);
  if (jid == 0) return;
  says(&client, program(verb, word), "", what);
  stop(&client, jid, what);
  is(count_mounts(scene.root->path), 0, what);
}

void test_far_down(const Scene& scene) {
  const char* name = "a-name-of-sixty-bytes-so-that-three-of-them-are-cut-somewhere-";
  mounts_inside(scene, "mountfar", name, "far down: a mount at a path that is not shown");
  char path[1024];
  char inner[204];
  memset(inner, 'n', sizeof inner);
  snprintf(path, sizeof path, "%s/%s/%s/%s/", scene.root->path, name, name, name);
  constexpr int kLengths[] = {200, 199};
  for (const int length : kLengths) {
    inner[length] = '\0';
    char whole[sizeof path + sizeof inner];
    snprintf(whole, sizeof whole, "%s%s", path, inner);
    check(rmdir(whole) == 0, "far down: its folder is free");
  }
  for (char* end; strlen(path) > strlen(scene.root->path); *end = '\0') {
    end = strrchr(path, '/');
    *end = '\0';
    if (strlen(path) > strlen(scene.root->path)) rmdir(path);
  }
  nothing_left(scene, "far down");
}

void test_over_the_root(const Scene& scene) {
  mounts_inside(scene, "mount", "/", "over the root: a mount that covers all others");
  nothing_left(scene, "over the root");
}

// ---- tracing

// A debugger of the host, which lets nothing end.
pid_t start_debugger(uint32_t pid) {
  const pid_t child = fork();
  if (child != 0) return child;
  int status = 0;
  if (ptrace(PT_ATTACH, static_cast<pid_t>(pid), nullptr, 0) < 0) _exit(1);
  waitpid(static_cast<pid_t>(pid), &status, 0);
  for (;;) pause();
}

void test_debugger(const Scene& scene) {
  Client client;
  uint32_t pid = 0;
  const uint32_t jid = make(&client, scene, plain(scene), "debugger");
  check(start_staying(&client, "stay", "0", &pid) != 0, "debugger: something runs");
  const pid_t debugger = start_debugger(pid);
  pause_for(300);
  const int64_t start = dfjail::now_in_milliseconds();
  const Refusal no = refusal_of(client.receive(client.stop(SIGTERM, 100), 60000));
  const int64_t took = dfjail::now_in_milliseconds() - start;
  char number[16];
  snprintf(number, sizeof number, " %d ", static_cast<int>(debugger));
  check(no.number == EBUSY, "debugger: stop() fails (%s %s %u %s)", no.step, no.syscall, no.number,
        no.detail);
  check(strstr(no.detail, number) != nullptr, "debugger: its process %d is named",
        static_cast<int>(debugger));
  check(took < 20000, "debugger: in time (%d ms)", static_cast<int>(took));
  kill(debugger, SIGKILL);
  waitpid(debugger, nullptr, 0);
  client.reap();
  UniqueFd state;
  Error error;
  check(dfjail::open_state(scene.root->state, &state, &error) &&
            dfjail::recover_jail(state.get(), jid, dfjail::Undoing(), &error),
        "debugger: recovery takes it back later (%s %s)", error.step, error.detail);
  nothing_left(scene, "debugger");
}

// An inmate traces a command and may take its end away from us.
void test_traced(const Scene& scene, const char* how, const char* what) {
  Client client;
  uint32_t pid = 0;
  uint32_t tracer = 0;
  int status = -1;
  const uint32_t jid = make(&client, scene, plain(scene), what);
  const uint32_t command = start_staying(&client, "endwith", "42", &pid);
  if (!check(command != 0, "%s: a command runs", what)) return;
  check(start_staying(&client, "trace", how, &tracer) != 0, "%s: it is traced", what);
  client.receive(client.signal(command, SIGTERM));
  // A tracer that does nothing keeps it stopped at the signal.
  if (strcmp(how, "reap") == 0) {
    check(wait_exit(&client, command, &status), "%s: its end is told", what);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 42, "%s: as it was (%x)", what,
          static_cast<unsigned>(status));
  }
  stops_in_time(&client, 200, 8000, what);
  check(!dfjail::jail_exists(jid), "%s: it is gone", what);
  nothing_left(scene, what);
}

// ---- addresses

// Three jails that share addresses are stopped at the same moment.
void test_shared_end(const Scene& scene) {
  if (scene.options->fast) return skip("shared end", "--fast");
  constexpr int kRounds = 12;
  constexpr int kJails = 3;
  constexpr int kShared = 8;
  static char texts[kShared][16];
  int clean = 0;
  for (int round = 0; round < kRounds; round++) {
    Client clients[kJails];
    Spec spec = plain(scene);
    spec.interface = "lo0";
    for (int i = 0; i < kShared; i++) {
      snprintf(texts[i], sizeof texts[i], "10.65.0.%d", i + 1);
      spec.address(texts[i]);
    }
    bool made = true;
    for (Client& client : clients) {
      made = made && client.start(scene.options->monitor) && client.hello() &&
             ready(client.receive(client.create(scene.root->state, spec), 30000)) != 0;
    }
    uint32_t asked[kJails];
    for (int i = 0; i < kJails; i++) asked[i] = clients[i].stop(SIGTERM, 0);
    for (int i = 0; i < kJails; i++)
      made = clients[i].receive(asked[i]).type == Type::kStopped && made;
    for (Client& client : clients) client.reap();
    int left = 0;
    for (const char* text : texts) left += host_has(text) ? 1 : 0;
    clean += made && left == 0 ? 1 : 0;
  }
  is(clean, kRounds, "shared end: of jails that end together no address is left");
  nothing_left(scene, "shared end");
}

// Two registries of one host name the same address.
void test_two_registries(const Scene& scene) {
  if (scene.options->fast) return skip("two registries", "--fast");
  char other[128];
  snprintf(other, sizeof other, "%s.other", scene.root->state);
  Client first;
  Client second;
  Spec spec = plain(scene);
  spec.address("10.66.0.1");
  spec.interface = "lo0";
  const uint32_t one = make(&first, scene, spec, "two registries, first");
  check(second.start(scene.options->monitor) && second.hello() &&
            ready(second.receive(second.create(other, spec), 30000)) != 0,
        "two registries: the second is made");
  stop(&first, one, "two registries, first");
  check(host_has("10.66.0.1"), "two registries: the second keeps its address");
  check(second.receive(second.stop(SIGTERM, 0)).type == Type::kStopped,
        "two registries: the second is stopped");
  second.reap();
  check(!host_has("10.66.0.1"), "two registries: then it is gone");
  constexpr const char* kNames[] = {"jails", "names", "locks", "mutex", "next", "recovering"};
  for (const char* name : kNames) {
    unlink(below(other, name));
    rmdir(below(other, name));
  }
  check(rmdir(other) == 0, "two registries: nothing is left of the second");
  nothing_left(scene, "two registries");
}

// ---- names

// The registry has outlived a boot: its name leads to a number that is another jail's now.
void test_stale_name(const Scene& scene) {
  Client client;
  Client other;
  char target[16];
  Spec spec = plain(scene);
  spec.name = "living";
  const uint32_t jid = make(&client, scene, spec, "stale name, the living");
  snprintf(target, sizeof target, "%u", jid);
  check(symlink(target, below(scene.root->state, "names/stale")) == 0, "stale name: is planted");
  spec.name = "stale";
  const uint32_t mine = make(&other, scene, spec, "stale name: another jail may have it");
  stop(&other, mine, "stale name");
  spec.name = "living";
  Client third;
  check(third.start(scene.options->monitor) && third.hello(), "stale name: a monitor");
  refused(refusal_of(third.receive(third.create(scene.root->state, spec))), "register", 0,
          "ERR_JAIL_EXISTS", "stale name: that of the living one is taken");
  third.reap();
  stop(&client, jid, "stale name, the living");
  nothing_left(scene, "stale name");
}

// ---- asked twice

void test_two_stops(const Scene& scene) {
  Client client;
  uint32_t pid = 0;
  make(&client, scene, plain(scene), "two stops");
  check(start_staying(&client, "stay", "0", &pid) != 0, "two stops: something runs");
  const uint32_t first = client.stop(SIGTERM, 20000);
  pause_for(100);
  const int64_t start = dfjail::now_in_milliseconds();
  const uint32_t second = client.stop(SIGTERM, 0);
  check(client.receive(first).type == Type::kStopped, "two stops: the first is answered");
  check(client.receive(second).type == Type::kStopped, "two stops: so is the second");
  const int64_t took = dfjail::now_in_milliseconds() - start;
  check(took < 5000, "two stops: with the shorter grace (%d ms)", static_cast<int>(took));
  client.reap();
  nothing_left(scene, "two stops");
}

}  // namespace

int count_lingering(const Scene& scene) {
  UniqueFd state;
  Error error;
  int count = 0;
  if (dfjail::open_state(scene.root->state, &state, &error))
    dfjail::each_lingering(state.get(), count_one, &count);
  return count;
}

void test_endings(const Scene& scene) {
  test_two_stops(scene);
  test_stale_name(scene);
  test_unread(scene, "2000", "unread, at its end");
  test_unread(scene, "100000", "unread, while it writes");
  test_far_down(scene);
  test_over_the_root(scene);
  test_debugger(scene);
  test_traced(scene, "reap", "traced, reaped");
  test_traced(scene, "hold", "traced, held");
  test_shared_end(scene);
  test_two_registries(scene);
  test_served(scene);
}

}  // namespace selftest
