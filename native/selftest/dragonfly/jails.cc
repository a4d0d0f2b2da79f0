#include "jails.hh"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/vnioctl.h>

#include "../../common/registry.hh"
#include "../../dragonfly/alias.hh"
#include "../../dragonfly/anchor.hh"
#include "../../dragonfly/capabilities.hh"
#include "../../dragonfly/jail_calls.hh"
#include "../../dragonfly/killing.hh"
#include "../../dragonfly/mount.hh"
#include "../../dragonfly/processes.hh"
#include "../../dragonfly/recover.hh"
#include "../../dragonfly/sysctl.hh"
#include "../../monitor/spec.hh"
#include "../tap.hh"
#include "edges.hh"
#include "endings.hh"
#include "logins.hh"
#include "scene.hh"

namespace selftest {
namespace {

using dfjail::Error;
using dfjail::MountSpec;
using dfjail::MountType;
using dfjail::Type;
using dfjail::UniqueFd;

// ---- a jail with everything

void fill(Spec* spec, const Scene& scene) {
  spec->name = "whole";
  spec->hostname = "whole.example.org";
  if (!scene.options->fast) spec->interface = "lo0";
  spec->address("127.0.0.61");
  spec->address("10.61.0.2");
  spec->address("fd00:61::1");
  spec->address("fd00:61::2");
  spec->capabilities = dfjail::kSetHostname | dfjail::kUnixIpRouteOnly | dfjail::kMountTmpfs;
  spec->mount(MountType::kDevfs, "/dev");
  spec->mount(MountType::kProcfs, "/proc");
  spec->mount(MountType::kTmpfs, "/tmp", "", 0, "size=1m,mode=1777");
  spec->mount(MountType::kNullfs, "/null", "/bin", MountSpec::kReadOnly);
}

void test_whole_kernel_side(const Scene& scene, uint32_t jid) {
  char wanted[256];
  snprintf(wanted, sizeof wanted,
           "%u whole.example.org %s 127.0.0.61 10.61.0.2 fd00:0061::0001 fd00:0061::0002", jid,
           scene.root->path);
  is_text(listed(jid), wanted, "whole: the kernel lists it with its addresses in order");
  is(dfjail::count_living(jid), 0, "whole: no process is in it");
  uint32_t bits = 0;
  const uint32_t wish = dfjail::kSetHostname | dfjail::kUnixIpRouteOnly | dfjail::kMountTmpfs;
  check(dfjail::read_capabilities(jid, &bits) && bits == wish,
        "whole: its capabilities are written (%x)", bits);
  is(count_mounts(scene.root->path), 4, "whole: its four mounts are there");
  if (scene.options->fast) return;
  dfjail::Address address;
  bool has = false;
  dfjail::parse_address("10.61.0.2", &address);
  check(dfjail::host_has_address(address, &has) && has,
        "whole: its IPv4 address is on the interface");
  dfjail::parse_address("fd00:61::2", &address);
  check(dfjail::host_has_address(address, &has) && has, "whole: its IPv6 address too");
}

void test_programs(Client* client, uint32_t jid) {
  says(client, program("echo", "hello"), "hello\n", "a program's output arrives");
  Result result = run(client, program("cat"), "some input");
  is_text(result.output, "some input", "its input arrives");
  result = run(client, program("exit", "7"));
  check(result.ran && WIFEXITED(result.status) && WEXITSTATUS(result.status) == 7,
        "exit status 7 arrives");
  result = run(client, program("abort"));
  check(result.ran && WIFSIGNALED(result.status) && WTERMSIG(result.status) == SIGABRT,
        "an abort arrives");
  says(client, program("fds"), "fds 0 1 2\n", "it has exactly the descriptors that it was given");
  says(client, program("signals"), "signals\n", "no signal is ignored or blocked");
  says(client, program("cwd"), "/\n", "it starts in /");
  says(client, program("id"), "uid 0 0 gid 0 0 groups 0\n", "it is the jail's root");
  says(client, program("env"), "", "its environment is empty");
  says(client, program("nested"), "Operation not permitted Operation not permitted\n",
       "it can neither make nor enter jails");
  says(client, program("chdir", "/../../../bin"), "No such file or directory\n",
       "it cannot leave its root");
  says(client, program("hostname"), "whole.example.org\n", "its hostname");
  char own[16];
  snprintf(own, sizeof own, "%u\n", jid);
  says(client, program("jid"), own, "it is in the jail");
}

void test_options(Client* client, bool fast) {
  Program what = program("cwd");
  what.cwd = "/home";
  says(client, what, "/home\n", "cwd is honoured");
  what.cwd = "/nowhere";
  refused(run(client, what).refusal, "cwd", ENOENT, "", "a missing cwd");
  what = program("echo");
  what.argv[0] = "/missing";
  refused(run(client, what).refusal, "exec", ENOENT, "", "a missing program");
  what.argv[0] = "/etc/passwd";
  refused(run(client, what).refusal, "exec", EACCES, "", "a file that is no program");
  what.argv[0] = "selftest";
  what.argv[3] = "found";
  what.env[0] = "PATH=/nowhere:/";
  what.flags = dfjail::CommandSpec::kSearchPath;
  says(client, what, "found\n", "PATH is searched in the jail");
  const dfjail::Limit limit = {0, 50, 60};
  what = program("nofile");
  what.limit = &limit;
  says(client, what, "50 60\n", "limits are set");
  what = program("id");
  what.user = "nobody-here";
  refused(run(client, what).refusal, "user", 0, "ERR_JAIL_UNKNOWN_USER", "an unknown user");
  if (fast) return skip("other users", "--fast");
  what.user = "inmate";
  says(client, what, "uid 1234 1234 gid 1235 1235 groups 1235 1300\n",
       "a user of the jail's own files");
  what.user = nullptr;
  what.uid = 4321;
  what.gid = 99;
  says(client, what, "uid 4321 4321 gid 99 99 groups 99\n", "a user and group by number");
  what = program("env");
  what.user = "inmate";
  what.flags = dfjail::CommandSpec::kLogin;
  what.cwd = "";
  says(client, what, "HOME=/home/inmate\nSHELL=/selftest\nUSER=inmate\nLOGNAME=inmate\n",
       "login gives a clean environment");
  what.argv[2] = "cwd";
  says(client, what, "/home/inmate\n", "and starts at home");
}

void test_terminal(Client* client) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
    return skip("a terminal", strerror(errno));
  const UniqueFd ours(master);
  const UniqueFd slave(open(ptsname(master), O_RDWR | O_NOCTTY));
  int out[2];
  uint32_t command = 0;
  Result result;
  Program what = program("tty");
  if (!check(static_cast<bool>(slave), "a terminal is opened") || pipe2(out, O_CLOEXEC) < 0) return;
  const UniqueFd from(out[0]);
  what.stdio[0] = slave.get();
  what.stdio[1] = out[1];
  what.flags = dfjail::CommandSpec::kTerminal;
  const bool started = start(client, what, &command, &result);
  close(out[1]);
  check(started, "a program starts on it (%s %u)", result.refusal.step, result.refusal.number);
  read_all(from.get(), result.output, sizeof result.output);
  is_text(result.output, "terminal controlling\n", "it is its controlling terminal");
  check(wait_exit(client, command, &result.status), "it ends");
}

void test_mounts_inside(Client* client) {
  const Result devices = run(client, program("ls", "/dev"));
  check(strstr(devices.output, "null\n") != nullptr, "/dev has null");
  check(strstr(devices.output, "mem\n") == nullptr && strstr(devices.output, "vbd") == nullptr,
        "/dev has neither memory nor disks");
  says(client, program("pty"), "terminal\n", "a program can make a terminal of its own");
  says(client, program("mounts"), "null /dev\nprocfs /proc\ntmpfs /tmp\nnull /null\n",
       "the jail sees its mounts");
}

// A disk that appears while the jail runs: a file as one.
bool attach_disk(const char* file, const UniqueFd& disk) {
  const UniqueFd image(open(file, O_RDWR | O_CREAT | O_TRUNC, 0600));
  vn_ioctl request = {};
  char name[64];
  snprintf(name, sizeof name, "%s", file);
  request.vn_file = name;
  return image && ftruncate(image.get(), 1 << 20) == 0 && disk &&
         ioctl(disk.get(), VNIOCATTACH, &request) == 0;
}

// Rules that hide would be compared with a name that the jail's own getfsstat has just rewritten:
// see docs/dragonfly.md.
void test_late_devices(Client* client) {
  const char* const roots[] = {"/", "/dev", "/dev/fd"};
  const char* const file = "/tmp/dfjail-selftest.disk";
  int shown = 0;
  for (const char* root : roots) {
    run(client, program("mountsfrom", root));
    const UniqueFd disk(open("/dev/vn0", O_RDWR));
    if (!attach_disk(file, disk)) return skip("a disk that appears later", strerror(errno));
    for (int i = 0; i < 100 && access("/dev/vn0s0", F_OK) < 0; i++) pause_for(20);
    check(access("/dev/vn0s0", F_OK) == 0, "a disk appears on the host");
    pause_for(100);
    const Result devices = run(client, program("ls", "/dev"));
    shown += strstr(devices.output, "vn0") != nullptr ? 1 : 0;
    vn_ioctl request = {};
    ioctl(disk.get(), VNIOCDETACH, &request);
    unlink(file);
    for (int i = 0; i < 50 && access("/dev/vn0s0", F_OK) == 0; i++) pause_for(20);
  }
  is(shown, 0, "it stays hidden from the jail, whatever that calls its devfs");
}

void test_intruder(Client* client, uint32_t jid) {
  says(client, program("rules", "*"), "No such file or directory\n",
       "it cannot change devfs rules");
  const Result mounting = run(client, program("mount", "/etc"));
  check(mounting.status == 0, "it can mount where it may (%s)", mounting.output);
  uint32_t bits = 0;
  says(client, program("tune"), "Operation not permitted\n", "it cannot change its capabilities");
  check(dfjail::read_capabilities(jid, &bits), "which are as they were (%x)", bits);
}

void test_signals(Client* client, uint32_t jid) {
  uint32_t pid = 0;
  const uint32_t command = start_staying(client, "stay", "2", &pid);
  check(command != 0, "a program that stays is started");
  pause_for(50);
  is(dfjail::count_living(jid), 3, "it and its two children are in the jail");
  dfjail::ProcessList list;
  Error error;
  check(list.read(false, static_cast<pid_t>(pid), &error) && list.size() == 1 &&
            dfjail::is_in_jail(*list.begin(), jid),
        "its pid is the host's, and in the jail");
  check(client->receive(client->signal(command, SIGKILL)).type == Type::kDone, "it is killed");
  int status = 0;
  check(wait_exit(client, command, &status) && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
        "and reported so");
  refused(refusal_of(client->receive(client->signal(command, SIGKILL))), "signal", ESRCH, "",
          "a signal for what has ended");
  is(dfjail::count_living(jid), 2, "its children go on");
  const Result result = run(client, program("killall"));
  check(result.ran, "a jailed kill -9 -1");
  pause_for(100);
  is(dfjail::count_living(jid), 0, "ends what runs in the jail");
  says(client, program("echo", "alive"), "alive\n", "and not the jail");
}

void test_capabilities(Client* client, uint32_t jid) {
  const uint32_t wish = dfjail::kSetHostname | dfjail::kMountTmpfs | dfjail::kChflags;
  uint32_t bits = 0;
  check(client->receive(client->capabilities(wish)).type == Type::kDone,
        "capabilities are changed");
  check(dfjail::read_capabilities(jid, &bits) && bits == wish, "in the kernel (%x)", bits);
  refused(refusal_of(client->receive(client->capabilities(wish & ~dfjail::kSetHostname))),
          "capabilities", 0, "ERR_JAIL_UNSUPPORTED", "setHostname: false");
  refused(refusal_of(client->receive(client->capabilities(wish | dfjail::kMountFusefs))),
          "capabilities", 0, "ERR_JAIL_UNSUPPORTED", "a capability that the kernel lacks");
}

void test_whole(const Scene& scene) {
  Client client;
  Spec spec = plain(scene);
  fill(&spec, scene);
  const uint32_t jid = make(&client, scene, spec, "whole");
  if (jid == 0) return;
  test_whole_kernel_side(scene, jid);
  test_programs(&client, jid);
  test_options(&client, scene.options->fast);
  test_terminal(&client);
  test_mounts_inside(&client);
  test_late_devices(&client);
  test_intruder(&client, jid);
  test_signals(&client, jid);
  test_capabilities(&client, jid);
  Client second;
  spec.interface = "";
  spec.mount_count = 0;
  second.start(scene.options->monitor);
  second.hello();
  refused(refusal_of(second.receive(second.create(scene.root->state, spec))), "register", 0,
          "ERR_JAIL_EXISTS", "a name in use");
  const Result pinned = run(&client, program("mount", "/home"));
  check(pinned.ran && pinned.status == 0, "the jail mounts something itself (%s)", pinned.output);
  uint32_t pid = 0;
  check(start_staying(&client, "stay", "3", &pid) != 0, "and runs what ignores TERM");
  stop(&client, jid, "whole");
  nothing_left(scene, "whole");
  if (scene.options->fast) return;
  dfjail::Address address;
  bool has = true;
  dfjail::parse_address("fd00:61::2", &address);
  check(dfjail::host_has_address(address, &has) && !has,
        "whole: its addresses are gone from the interface");
}

// ---- how jails end

void test_owner_death(const Scene& scene) {
  Client client;
  Spec spec = plain(scene);
  spec.mount(MountType::kTmpfs, "/tmp");
  const uint32_t jid = make(&client, scene, spec, "orphan");
  uint32_t pid = 0;
  check(start_staying(&client, "stay", "2", &pid) != 0, "orphan: something runs");
  client.hang_up();
  is(client.reap(), 0, "orphan: the monitor ends when its owner is gone");
  check(!dfjail::jail_exists(jid), "orphan: and the jail with it");
  is(dfjail::count_living(jid), 0, "orphan: and everything in it");
  nothing_left(scene, "orphan");
}

void test_fork_storm(const Scene& scene) {
  Client client;
  const uint32_t jid = make(&client, scene, plain(scene), "storm");
  uint32_t pid = 0;
  check(start_staying(&client, "runaway", "", &pid) != 0,
        "storm: something forks and ends, over and over");
  stop(&client, jid, "storm");
  is(dfjail::count_living(jid), 0, "storm: nothing is left of it");
  nothing_left(scene, "storm");
}

void test_stopper(const Scene& scene) {
  Client client;
  const uint32_t jid = make(&client, scene, plain(scene), "stopper");
  uint32_t pid = 0;
  check(start_staying(&client, "stopper", "", &pid) != 0,
        "stopper: something stops whatever comes into the jail");
  stop(&client, jid, "stopper");
  is(dfjail::count_living(jid), 0, "stopper: nothing is left of it");
  nothing_left(scene, "stopper");
}

struct Report {
  int undone = 0;
  int failed = 0;
};

void count_report(void* context, const char* what, const Error* error) {
  Report* report = static_cast<Report*>(context);
  error == nullptr ? report->undone++ : report->failed++;
  note("recovered: %s%s%s", what, error == nullptr ? "" : ": ",
       error == nullptr ? "" : error->syscall);
}

void test_recovery(const Scene& scene) {
  Client client;
  Spec spec = plain(scene);
  fill(&spec, scene);
  spec.name = "lost";
  const uint32_t jid = make(&client, scene, spec, "lost");
  uint32_t pid = 0;
  check(start_staying(&client, "stay", "1", &pid) != 0, "lost: something runs");
  kill(client.pid(), SIGKILL);
  client.reap();
  client.hang_up();
  pause_for(100);
  check(dfjail::jail_exists(jid), "lost: the jail outlives its monitor when that is killed");
  UniqueFd state;
  Error error;
  Report report;
  const dfjail::Undoing undoing = {count_report, &report};
  check(dfjail::open_state(scene.root->state, &state, &error), "lost: the registry is opened");
  check(dfjail::recover_jail(state.get(), jid, undoing, &error),
        "lost: it is recovered (%s %s %d %s)", error.step, error.syscall, error.number,
        error.detail);
  is(report.undone, scene.options->fast ? 8 : 12, "lost: what was undone is told");
  is(report.failed, 0, "lost: nothing failed");
  check(!dfjail::jail_exists(jid), "lost: the jail is gone");
  nothing_left(scene, "lost");
}

struct Recovery {
  int state;
  int recovered = 0;
  int failed = 0;
};

bool recover_one(void* context, uint32_t id) {
  Recovery* recovery = static_cast<Recovery*>(context);
  Error error;
  const bool done = dfjail::recover_jail(recovery->state, id, dfjail::Undoing(), &error);
  done ? recovery->recovered++ : recovery->failed++;
  if (!done)
    note("%u: %s %s %s %d %s", id, error.step, error.syscall, error.path, error.number,
         error.detail);
  return true;
}

// The monitor is killed at another moment of create each time.
void test_sudden_death(const Scene& scene) {
  Spec spec = plain(scene);
  fill(&spec, scene);
  spec.name = "doomed";
  UniqueFd state;
  Error error;
  if (!check(dfjail::open_state(scene.root->state, &state, &error),
             "doomed: the registry is opened"))
    return;
  Recovery recovery = {state.get()};
  int clean = 0;
  constexpr int kRounds = 60;
  for (int i = 0; i < kRounds; i++) {
    Client client;
    if (!client.start(scene.options->monitor) || !client.hello()) break;
    client.create(scene.root->state, spec);
    usleep(static_cast<unsigned>(i) * 700U);
    kill(client.pid(), SIGKILL);
    client.reap();
    client.hang_up();
    pause_for(5);  // a jail(2) under way comes to its end
    dfjail::each_jid(state.get(), recover_one, &recovery);
    clean += is_clean(scene) && count_listed(scene.root->path) == 0 ? 1 : 0;
  }
  is(clean, kRounds, "doomed: after a KILL at 60 moments of create, recovery leaves nothing");
  is(recovery.failed, 0, "doomed: and never fails");
  note("%d of 60 had something to take back", recovery.recovered);
}

void test_persistence(const Scene& scene) {
  Client client;
  Spec spec = plain(scene);
  spec.name = "keeper";
  spec.flags = dfjail::JailSpec::kPersist;
  const uint32_t jid = make(&client, scene, spec, "keeper");
  uint32_t pid = 0;
  check(start_staying(&client, "stay", "0", &pid) != 0, "keeper: something runs");
  client.hang_up();
  pause_for(200);
  check(dfjail::jail_exists(jid) && dfjail::count_living(jid) == 1,
        "keeper: it outlives its owner");
  char socket_path[160];
  snprintf(socket_path, sizeof socket_path, "%s/jails/%u/socket", scene.root->state, jid);
  Client other;
  check(other.connect(socket_path) && other.hello(), "keeper: another program reaches its monitor");
  const Message answer = other.receive(other.attach(scene.root->state, jid));
  dfjail::Reader reader = answer.reader();
  is(reader.u32(), jid, "keeper: and adopts the jail");
  is(reader.u32(), 0, "keeper: which has no anchor process");
  is(reader.u32(), 1, "keeper: owned");
  is(reader.u32(), 1, "keeper: with its command");
  check(other.receive(other.stop(SIGTERM, 100), 30000).type == Type::kStopped,
        "keeper: it is stopped");
  is(client.reap(), 0, "keeper: its monitor ends");
  nothing_left(scene, "keeper");
}

// The jail of `dfjail jail`: it ends with its last process, which need not be ours.
void test_until_empty(const Scene& scene) {
  Client client;
  Spec spec = plain(scene);
  spec.flags = dfjail::JailSpec::kPersist | dfjail::JailSpec::kUntilEmpty;
  const uint32_t jid = make(&client, scene, spec, "deserted");
  uint32_t pid = 0;
  const uint32_t command = start_staying(&client, "stay", "2", &pid);
  check(command != 0, "deserted: something runs, with children");
  int status = 0;
  client.receive(client.signal(command, SIGKILL));
  check(wait_exit(&client, command, &status), "deserted: it ends");
  pause_for(600);
  check(dfjail::jail_exists(jid), "deserted: its children keep the jail");
  client.hang_up();
  pause_for(600);
  check(dfjail::jail_exists(jid), "deserted: also without the owner");
  dfjail::kill_all(jid, 5000);
  is(client.reap(), 0, "deserted: the monitor ends when nobody is left");
  check(!dfjail::jail_exists(jid), "deserted: and the jail with it");
  nothing_left(scene, "deserted");
}

// A jail of jail(8)'s kind: a process that called jail(2) and stays.
pid_t make_foreign(const Root& root, uint32_t* jid) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    for (int fd = 3; fd < 64; fd++) {
      if (fd != ends[1]) close(fd);
    }
    if (chdir(root.path) < 0) _exit(1);
    const int made = dfjail::jail_create(root.path, "foreign", nullptr, 0);
    if (write(ends[1], &made, sizeof made) < 0) _exit(1);
    for (;;) pause();
  }
  close(ends[1]);
  int made = -1;
  if (read(ends[0], &made, sizeof made) < 0) made = -1;
  close(ends[0]);
  *jid = made > 0 ? static_cast<uint32_t>(made) : 0;
  return child;
}

void reap_soon(pid_t child) {
  for (int i = 0; i < 400 && waitpid(child, nullptr, WNOHANG) == 0; i++) pause_for(5);
}

void test_foreign(const Scene& scene) {
  uint32_t jid = 0;
  const pid_t holder = make_foreign(*scene.root, &jid);
  check(jid != 0, "foreign: somebody else makes a jail");
  {
    Client guest;
    guest.start(scene.options->monitor);
    guest.hello();
    refused(refusal_of(guest.receive(guest.attach(scene.root->state, 654321))), "enter", 0,
            "ERR_JAIL_NOT_FOUND", "an unknown jid");
  }
  {
    Client guest;
    guest.start(scene.options->monitor);
    guest.hello();
    is(ready(guest.receive(guest.attach(scene.root->state, jid))), jid, "foreign: it is entered");
    says(&guest, program("hostname"), "foreign\n", "foreign: a command runs in it");
    uint32_t pid = 0;
    check(start_staying(&guest, "stay", "0", &pid) != 0, "foreign: and another");
    guest.hang_up();
    is(guest.reap(), 0, "foreign: the guest leaves");
    check(kill(static_cast<pid_t>(pid), 0) < 0 && errno == ESRCH, "foreign: and its commands end");
    check(dfjail::jail_exists(jid) && kill(holder, 0) == 0, "foreign: and nothing else");
  }
  Client guest;
  guest.start(scene.options->monitor);
  guest.hello();
  is(ready(guest.receive(guest.attach(scene.root->state, jid))), jid,
     "foreign: it is entered again");
  const uint32_t request = guest.stop(SIGTERM, 300);
  reap_soon(holder);  // a zombie would keep the jail
  check(guest.receive(request, 20000).type == Type::kStopped, "foreign: a guest can stop it");
  check(!dfjail::jail_exists(jid), "foreign: it is gone");
}

void test_guest_stops(const Scene& scene) {
  Client owner;
  Spec spec = plain(scene);
  spec.mount(MountType::kTmpfs, "/tmp");
  const uint32_t jid = make(&owner, scene, spec, "shared");
  Client guest;
  guest.start(scene.options->monitor);
  guest.hello();
  is(ready(guest.receive(guest.attach(scene.root->state, jid))), jid, "shared: a guest enters");
  check(guest.receive(guest.stop(SIGTERM, 100), 20000).type == Type::kStopped,
        "shared: and stops it");
  check(owner.receive(0, 10000).type == Type::kGone, "shared: its owner hears that it is gone");
  is(owner.reap(), 0, "shared: the owner's monitor ends");
  nothing_left(scene, "shared");
}

void test_guest_is_told(const Scene& scene) {
  Client owner;
  const uint32_t jid = make(&owner, scene, plain(scene), "told");
  Client guest;
  guest.start(scene.options->monitor);
  guest.hello();
  is(ready(guest.receive(guest.attach(scene.root->state, jid))), jid, "told: a guest enters");
  stop(&owner, jid, "told");
  check(guest.receive(0, 10000).type == Type::kGone, "told: the guest hears that it is gone");
  is(guest.reap(), 0, "told: its monitor ends");
}

// Two jails in one root, one's mount on the other's: each takes its own back, in any order.
// Two jails on one root: what one has mounted is not covered by the other.
void test_stacked(const Scene& scene) {
  Client first;
  Client second;
  Spec spec = plain(scene);
  const MountType types[] = {MountType::kNullfs, MountType::kTmpfs, MountType::kProcfs,
                             MountType::kDevfs};
  const char* const targets[] = {"/null", "/tmp", "/proc", "/dev"};
  for (size_t i = 0; i < 4; i++)
    spec.mount(types[i], targets[i], types[i] == MountType::kNullfs ? "/bin" : "");
  const uint32_t one = make(&first, scene, spec, "stacked, first");
  for (size_t i = 0; i < 4; i++) {
    Client other;
    Spec again = plain(scene);
    again.mount(types[i], targets[i], types[i] == MountType::kNullfs ? "/bin" : "");
    if (!other.start(scene.options->monitor) || !other.hello()) break;
    const Message answer = other.receive(other.create(scene.root->state, again), 30000);
    refused(refusal_of(answer), "mount", 0, "ERR_JAIL_EXISTS", "stacked: one over the other");
    other.reap();
  }
  const uint32_t two = make(&second, scene, plain(scene), "stacked, second without mounts");
  stop(&first, one, "stacked, first");
  stop(&second, two, "stacked, second");
  nothing_left(scene, "stacked");
}

void test_held(const Scene& scene) {
  Client client;
  const uint32_t jid = make(&client, scene, plain(scene), "held");
  int ends[2];
  uint32_t command = 0;
  Result result;
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) return;
  UniqueFd ours(ends[0]);
  Program what = program("socket");
  what.stdio[3] = ends[1];
  check(start(&client, what, &command, &result), "held: a program hands a socket out");
  close(ends[1]);
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  char byte;
  iovec bytes = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const bool arrived = recvmsg(ours.get(), &message, 0) == 1;
  const cmsghdr* header = arrived ? CMSG_FIRSTHDR(&message) : nullptr;
  check(header != nullptr, "held: it arrives");
  if (header == nullptr) return;
  int passed;
  memcpy(&passed, CMSG_DATA(header), sizeof passed);
  const Refusal no = refusal_of(client.receive(client.stop(SIGTERM, 100), 30000));
  refused(no, "release", EBUSY, "", "held: a stop says what happened");
  check(strstr(no.detail, "socket") != nullptr, "held: and what may hold it");
  check(dfjail::jail_exists(jid), "held: the jail is still there");
  close(passed);
  check(dfjail::wait_until_gone(jid, 2000), "held: until the socket is closed");
  client.reap();
  nothing_left(scene, "held");
}

// ---- what is refused

void refuse(const Scene& scene, const Spec& spec, const char* step, uint32_t number,
            const char* code, const char* what) {
  const int jails = count_listed(scene.root->path);
  {
    Client client;
    if (!client.start(scene.options->monitor) || !client.hello()) return;
    refused(refusal_of(client.receive(client.create(scene.root->state, spec))), step, number, code,
            what);
  }
  check(count_listed(scene.root->path) == jails && is_clean(scene), "%s: leaves nothing behind",
        what);
}

void test_refusals(const Scene& scene) {
  Spec spec = plain(scene);
  spec.path = "/nonexistent";
  refuse(scene, spec, "root", ENOENT, "", "a missing root");
  spec.path = scene.options->self;
  refuse(scene, spec, "root", ENOTDIR, "", "a root that is a file");
  spec = plain(scene);
  spec.hostname = "two words";
  refuse(scene, spec, "hostname", EINVAL, "", "a hostname with a space");
  spec = plain(scene);
  spec.capabilities = 0;
  refuse(scene, spec, "capabilities", 0, "ERR_JAIL_UNSUPPORTED", "setHostname: false");
  spec = plain(scene);
  spec.memory = 1 << 20;
  refuse(scene, spec, "limits", 0, "ERR_JAIL_UNSUPPORTED", "a memory limit");
  spec = plain(scene);
  for (int i = 0; i < 30; i++) spec.address("2001:db8:1111:2222:3333:4444:5555:6666");
  refuse(scene, spec, "jail", 0, "ERR_JAIL_LIMIT", "more addresses than the list can hold");
  spec = plain(scene);
  spec.address("10.9.9.9");
  spec.interface = "nope0";
  refuse(scene, spec, "address", ENXIO, "", "an unknown interface");
}

void test_refused_mounts(const Scene& scene) {
  Spec spec = plain(scene);
  spec.mount(MountType::kTmpfs, "/tmp");
  spec.mount(MountType::kNullfs, "/missing", "/bin");
  refuse(scene, spec, "mount", ENOENT, "", "a missing mount point after a good one");
  spec = plain(scene);
  spec.mount(MountType::kNullfs, "/null", "/nonexistent");
  refuse(scene, spec, "mount", ENOENT, "", "a missing source");
  spec = plain(scene);
  spec.mount(MountType::kTmpfs, "/../tmp");
  refuse(scene, spec, "mount", EINVAL, "", "a mount point with ..");
  const MountType types[] = {MountType::kTmpfs, MountType::kDevfs};
  for (const MountType type : types) {
    spec = plain(scene);
    spec.mount(type, "/link");
    refuse(scene, spec, "mount", ELOOP, "", "a mount point that is a link");
  }
}

// Until the next jail gets this id. A root that is a file fails late enough to use one up.
void use_up_jids(const Scene& scene, uint32_t next) {
  UniqueFd anchor;
  uint32_t jid = 0;
  Error error;
  dfjail::raise_jail(scene.root->path, "counter", nullptr, 0, &anchor, &jid, &error);
  for (; jid + 1 < next; jid++) dfjail::jail_create(scene.options->self, "x", nullptr, 0);
}

void set_defaults(uint32_t bits) {
  dfjail::sysctl_set_int("jail.defaults.set_hostname_allowed", (bits & dfjail::kSetHostname) != 0);
  dfjail::sysctl_set_int("jail.defaults.socket_unixiproute_only",
                         (bits & dfjail::kUnixIpRouteOnly) != 0);
}

void test_high_jids(const Scene& scene) {
  use_up_jids(scene, 10000);
  Client low;
  const uint32_t first = make(&low, scene, plain(scene), "high jids, the jail 10000");
  is(first, 10000, "high jids: its id");
  use_up_jids(scene, 100000);
  {
    Client refused_one;
    refused_one.start(scene.options->monitor);
    refused_one.hello();
    const uint32_t request = refused_one.create(scene.root->state, plain(scene));
    refused(refusal_of(refused_one.receive(request)), "capabilities", 0, "ERR_JAIL_UNSUPPORTED",
            "a jid above 99,999 with other capabilities than the defaults");
  }
  is(count_listed(scene.root->path), 1, "high jids: nothing of it is left");
  set_defaults(dfjail::kSetHostname | dfjail::kUnixIpRouteOnly);
  Client high;
  const uint32_t second = make(&high, scene, plain(scene), "high jids, with the defaults");
  check(second > 100000, "high jids: its id is %u", second);
  char own[16];
  snprintf(own, sizeof own, "%u\n", second);
  says(&high, program("jid"), own, "high jids: commands run in it");
  refused(refusal_of(high.receive(high.capabilities(dfjail::kSetHostname))), "capabilities", 0,
          "ERR_JAIL_UNSUPPORTED", "high jids: a change of capabilities");
  refused(refusal_of(low.receive(low.capabilities(dfjail::kSetHostname))), "capabilities", 0,
          "ERR_JAIL_UNSUPPORTED", "high jids: a change for the jail whose node is shared");
  uint32_t bits = 0;
  check(dfjail::read_capabilities(first, &bits) &&
            bits == (dfjail::kSetHostname | dfjail::kUnixIpRouteOnly),
        "high jids: the first jail's capabilities are untouched (%x)", bits);
  stop(&high, second, "high jids, with the defaults");
  stop(&low, first, "high jids, the jail 10000");
  set_defaults(0);
  nothing_left(scene, "high jids");
}

int count_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

void test_many(const Scene& scene) {
  Client client;
  const uint32_t jid = make(&client, scene, plain(scene), "busy");
  int right = 0;
  for (int i = 0; i < 100; i++) {
    const Result result = run(&client, program("exit", "3"));
    right += result.ran && WIFEXITED(result.status) && WEXITSTATUS(result.status) == 3 ? 1 : 0;
  }
  is(right, 100, "busy: 100 commands ran");
  says(&client, program("fds"), "fds 0 1 2\n", "busy: and left no descriptor open");
  stop(&client, jid, "busy");
  right = 0;
  for (int i = 0; i < 20; i++) {
    Client one;
    if (!one.start(scene.options->monitor) || !one.hello()) break;
    const uint32_t made = ready(one.receive(one.create(scene.root->state, plain(scene))));
    right += made != 0 && one.receive(one.stop(0, 0)).type == Type::kStopped &&
                     !dfjail::jail_exists(made)
                 ? 1
                 : 0;
  }
  is(right, 20, "busy: 20 jails came and went");
  nothing_left(scene, "busy");
}

}  // namespace

void test_jails(const Options& options, const Root& root) {
  const Scene scene = {&options, &root};
  const int before = count_descriptors();
  test_whole(scene);
  test_owner_death(scene);
  test_fork_storm(scene);
  test_stopper(scene);
  test_recovery(scene);
  test_sudden_death(scene);
  test_persistence(scene);
  test_until_empty(scene);
  test_foreign(scene);
  test_guest_stops(scene);
  test_guest_is_told(scene);
  test_stacked(scene);
  test_held(scene);
  test_refusals(scene);
  test_refused_mounts(scene);
  test_many(scene);
  test_edges(scene);
  test_endings(scene);
  test_logins(scene);
  if (options.high_jids) test_high_jids(scene);
  is(count_descriptors(), before, "no descriptor of this program was left open");
  is(count_listed(scene.root->path), count_lingering(scene),
     "no jail is left on this host that does not linger");
}

}  // namespace selftest
