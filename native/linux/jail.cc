#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/address.hh"
#include "../common/steps.hh"
#include "../monitor/backend.hh"
#include "../monitor/describe.hh"
#include "anchor.hh"
#include "birthplace.hh"
#include "cgroup.hh"
#include "entrance.hh"
#include "holder.hh"
#include "index.hh"
#include "mounts.hh"
#include "netlink.hh"
#include "owner.hh"
#include "processes.hh"
#include "report.hh"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

// How a jail is made, entered and ended on Linux. docs/linux.md has the order and the reasons.
namespace dfjail {
namespace {

constexpr size_t kPathSize = 64;

// What create needs on the way.
struct Making {
  const JailSpec* spec = nullptr;
  Jail* jail = nullptr;
  bool rootless = false;
  JailNetwork network;
  NamespaceHolder holder;
  UniqueFd user_namespace;  // the jail's
  IdMap ids;
  UniqueFd tree;  // the jail's root, not yet mounted
  HiddenDirectories hidden;
  UniqueFd anchor_file;
  UniqueFd report;  // our end: the anchor's error, or its end by exec
  pid_t anchor = 0;
};

bool write_proc(pid_t pid, const char* file, const char* text, Error* error) {
  char path[kPathSize];
  snprintf(path, sizeof path, "/proc/%d/%s", static_cast<int>(pid), file);
  const UniqueFd fd(open(path, O_WRONLY | O_CLOEXEC));
  if (!fd) return fail(error, "id-map", "open", path);
  const ssize_t size = static_cast<ssize_t>(strlen(text));
  return write(fd.get(), text, static_cast<size_t>(size)) == size ||
         fail(error, "id-map", "write", path);
}

UniqueFd open_proc(pid_t pid, const char* file, int flags) {
  char path[kPathSize];
  snprintf(path, sizeof path, "/proc/%d/%s", static_cast<int>(pid), file);
  return UniqueFd(open(path, flags | O_CLOEXEC));
}

bool map_ids(pid_t pid, uint32_t inside, uint32_t outside, uint32_t count, const char* file,
             Error* error) {
  char text[64];
  snprintf(text, sizeof text, "%u %u %u\n", inside, outside, count);
  return write_proc(pid, file, text, error);
}

// ---- ids

// Rootless the monitor lives in a user namespace of its own, whose child the jail's is: only so may
// it later join the pid namespace, and do what needs privileges on the way.
bool become_namespace_root(Error* error) {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
    if (errno != EPERM && errno != ENOSPC && errno != EUSERS)
      return fail(error, "id-map", "unshare");
    return fail_with_code(
        error, "id-map", "ERR_JAIL_UNSUPPORTED", "",
        "This host does not let ordinary users make user namespaces: probe() says which switch "
        "forbids it; or run as root.");
  }
  return write_proc(getpid(), "setgroups", "deny", error) &&
         map_ids(getpid(), 0, uid, 1, "uid_map", error) &&
         map_ids(getpid(), 0, gid, 1, "gid_map", error);
}

bool map_jail_ids(Making* m, Error* error) {
  const pid_t holder = m->holder.pid();
  const Entry& entry = m->jail->entry;
  const uint32_t outside = m->rootless ? 0 : entry.id_base;
  if (!map_ids(holder, 0, outside, entry.id_count, "uid_map", error) ||
      !map_ids(holder, 0, outside, entry.id_count, "gid_map", error)) {
    m->holder.explain(error);
    return false;
  }
  m->user_namespace = open_proc(holder, "ns/user", O_RDONLY);
  if (!m->user_namespace) return fail(error, "id-map", "open", "ns/user");
  m->ids.base = outside;
  if (!m->rootless) m->ids.user_namespace = m->user_namespace.get();
  return true;
}

// ---- the anchor, until it is one

bool enter_namespaces(const Making& m, Error* error) {
  if (setns(m.holder.pidfd(), CLONE_NEWUSER | CLONE_NEWNET) < 0)
    return fail(error, "enter", "setns");
  if (!m.rootless && syscall(SYS_setgroups, 0, nullptr) < 0)
    return fail(error, "enter", "setgroups");
  if (syscall(SYS_setresgid, 0, 0, 0) < 0) return fail(error, "enter", "setresgid");
  if (syscall(SYS_setresuid, 0, 0, 0) < 0) return fail(error, "enter", "setresuid");
  constexpr int kNew = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP;
  if (unshare(kNew) < 0) return fail(error, "enter", "unshare");
  step_done("enter");
  return true;
}

bool name_host(const JailSpec& spec, Error* error) {
  if (sethostname(spec.hostname, strlen(spec.hostname)) < 0)
    return fail(error, "hostname", "sethostname", spec.hostname);
  step_done("hostname");
  return true;
}

// It waits for the network namespace, but not for what will be in it.
bool prepare_jail(const Making& m, int lifeline, Error* error) {
  if (!build_root(m.tree.get(), *m.spec, m.ids, m.hidden, error)) return false;
  if (!wait_for_go(lifeline)) return fail(error, "enter", "read");
  return enter_namespaces(m, error) && name_host(*m.spec, error);
}

// Runs in the new pid 1.
[[noreturn]] void run_anchor(const Making& m, int lifeline, int report) {
  Error error;
  begin_anchor_steps();
  step_done("namespaces");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!prepare_jail(m, lifeline, &error)) say_failed(report, error);
  become_anchor(m.anchor_file.get(), lifeline, report);
}

bool fork_anchor(Making* m, Error* error) {
  int life[2];
  int report[2];
  if (pipe2(life, O_CLOEXEC) < 0) return fail(error, "namespaces", "pipe2");
  UniqueFd life_end(life[0]);
  m->jail->lifeline.reset(life[1]);
  if (pipe2(report, O_CLOEXEC) < 0) return fail(error, "namespaces", "pipe2");
  m->report.reset(report[0]);
  const UniqueFd report_end(report[1]);
  int pidfd = -1;
  constexpr long kFlags = CLONE_NEWPID | CLONE_NEWNS | CLONE_PIDFD | SIGCHLD;
  m->anchor = static_cast<pid_t>(syscall(SYS_clone, kFlags, 0, &pidfd, 0, 0));
  if (m->anchor < 0) return fail(error, "namespaces", "clone");
  if (m->anchor == 0) {
    m->jail->lifeline.reset();
    run_anchor(*m, life_end.get(), report_end.get());
  }
  m->jail->anchor.reset(pidfd);
  m->jail->entry.anchor = m->anchor;
  return true;
}

bool anchor_is_gone(const Making& m) {
  return syscall(SYS_pidfd_send_signal, m.jail->anchor.get(), 0, nullptr, 0) < 0 ||
         waitpid(m.anchor, nullptr, WNOHANG) != 0;
}

// Before somebody in the jail may write packets, with a source of their choice. Nobody else can, so
// that jails without rawSockets need not wait for it.
bool filter_sources(Jail* jail, uint32_t capabilities, Error* error) {
  Entry& entry = jail->entry;
  if (jail->filtered || entry.link[0] == '\0' || (capabilities & kRawSockets) == 0) return true;
  Address addresses[kMaxAddresses];
  size_t count = 0;
  char list[sizeof entry.addresses];
  snprintf(list, sizeof list, "%s", entry.addresses);
  char* rest = nullptr;
  for (char* one = strtok_r(list, " ", &rest); one != nullptr && count < kMaxAddresses;
       one = strtok_r(nullptr, " ", &rest)) {
    if (parse_address(one, &addresses[count])) count++;
  }
  if (!return_to_network()) return fail(error, "link", "setns");
  jail->filtered = filter_link(entry.link, addresses, count, error);
  return jail->filtered;
}

bool connect_jail(Making* m, Error* error) {
  const JailNetwork& network = m->network;
  if (!network.linked) return true;
  Entry& entry = m->jail->entry;
  const UniqueFd netns = open_proc(m->holder.pid(), "ns/net", O_RDONLY);
  if (!netns) {
    fail(error, "link", "open", "ns/net");
    m->holder.explain(error);
    return false;
  }
  // A jail of another state directory may have the same jid.
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; i++) {
    snprintf(entry.link, sizeof entry.link, i == 0 ? "dfj%u" : "dfj%u_%d", entry.jid, i);
    *error = Error();
    if (connect_host(entry.link, netns.get(), network.addresses, network.count, error))
      return filter_sources(m->jail, m->spec->capabilities, error);
    if (error->number != EEXIST || strcmp(error->step, "link") != 0) break;
  }
  entry.link[0] = '\0';
  return false;
}

// Something failed because it is gone: before it ended it has said why, if it could.
void explain_anchor(const Making& m, Error* error) {
  Error own;
  if (hear(m.report.get(), "anchor", &own) == Word::kFailed) *error = own;
}

bool tell_anchor(const Making& m, Error* error) {
  if (say_go(m.jail->lifeline.get())) return true;
  if (errno != EPIPE) return fail(error, "anchor", "write");
  fail(error, "anchor", "write", "", ECHILD);
  explain_anchor(m, error);
  return false;
}

// ---- entering for good

// Every later command's filter and bounding set.
void apply_capabilities(Jail* jail, uint32_t capabilities) {
  jail->entry.capabilities = capabilities;
  build_filter(capabilities, &entrance().filter);
  entrance().kept = kept_capabilities(capabilities, jail->entry.id_count == 1);
}

// What every later command is born into.
bool prepare_entrance(Jail* jail, uint32_t capabilities, Error* error) {
  if (setns(jail->anchor.get(), CLONE_NEWPID) < 0) return fail(error, "ready", "setns");
  apply_capabilities(jail, capabilities);
  return confine_monitor(error);
}

bool open_entrance(Jail* jail, Error* error) {
  jail->root = open_proc(jail->entry.anchor, "root", O_PATH | O_DIRECTORY);
  if (!jail->root) return fail(error, "ready", "open", "root");
  // From here on hostile processes exist, and our children are for a moment among them with our
  // memory.
  return prctl(PR_SET_DUMPABLE, 0) == 0 || fail(error, "ready", "prctl");
}

bool read_pid_namespace(Entry* entry, Error* error) {
  char path[kPathSize];
  struct stat info;
  snprintf(path, sizeof path, "/proc/%d/ns/pid", static_cast<int>(entry->anchor));
  if (stat(path, &info) < 0) return fail(error, "ready", "stat", path);
  entry->pid_namespace = info.st_ino;
  return true;
}

// ---- what is done beside the anchor, which makes the mounts meanwhile

bool prepare_entrance_beside(const Making& m, Error* error) {
  if (prepare_entrance(m.jail, m.spec->capabilities, error)) return true;
  if (error->number == ESRCH) explain_anchor(m, error);
  return false;
}

// The holder raises the jail's side; what the entrance needs is prepared meanwhile.
bool raise_network(Making* m, Error* error) {
  if (!connect_jail(m, error)) return false;
  const bool configured = m->network.count > 0;
  if (configured && !m->holder.configure(error)) return false;
  if (!prepare_entrance_beside(*m, error)) return false;
  return !configured || m->holder.await_configured(error);
}

bool raise_anchor(Making* m, Error* error) {
  if (!fork_anchor(m, error)) return false;
  if (!m->holder.await_network(error) || !tell_anchor(*m, error)) return false;
  resume_steps();
  if (!raise_network(m, error)) return false;
  if (hear(m->report.get(), "anchor", error) == Word::kFailed) return false;
  if (anchor_is_gone(*m)) return fail(error, "anchor", "execveat", "", ECHILD);
  step_done("anchor");
  return true;
}

// ---- create

bool resolve_root(const JailSpec& spec, Entry* entry, UniqueFd* root, Error* error) {
  root->reset(open(spec.path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!*root) return fail(error, "root", "open", spec.path);
  char link[kPathSize];
  snprintf(link, sizeof link, "/proc/self/fd/%d", root->get());
  const ssize_t n = readlink(link, entry->path, sizeof entry->path - 1);
  if (n < 0) return fail(error, "root", "readlink", spec.path);
  entry->path[n] = '\0';
  return is_plain_line(entry->path) || fail(error, "root", "readlink", spec.path, EINVAL);
}

bool describe(const JailSpec& spec, Making* m, Error* error) {
  Entry& entry = m->jail->entry;
  snprintf(entry.hostname, sizeof entry.hostname, "%s", spec.hostname);
  snprintf(entry.name, sizeof entry.name, "%s", spec.name);
  entry.capabilities = spec.capabilities;
  entry.persist = (spec.flags & JailSpec::kPersist) != 0;
  entry.no_new_privileges = (spec.flags & JailSpec::kNoNewPrivileges) != 0;
  JailNetwork& network = m->network;
  if (!describe_addresses(spec, network.addresses, &entry, error)) return false;
  network.count = spec.address_count;
  for (size_t i = 0; i < network.count; i++) {
    network.linked = network.linked || (!m->rootless && !is_loopback(network.addresses[i]));
  }
  return true;
}

// A place in the registry: a jid, and the name.
bool take_place(Making* m, UniqueFd* root, Error* error) {
  Jail* jail = m->jail;
  const JailSpec& spec = *m->spec;
  jail->entry.monitor = getpid();
  if (!open_state(spec.state_dir, &jail->state, error)) return false;
  if (!resolve_root(spec, &jail->entry, root, error) || !describe(spec, m, error)) return false;
  // What is connected is checked when it is: then under no other's feet.
  const JailNetwork& network = m->network;
  if (!network.linked && !check_foreign(network.addresses, network.count, error)) return false;
  describe_limits(spec, jail);
  jail->owned = register_jail(jail->state.get(), &jail->entry, &jail->locks, error);
  return jail->owned;
}

bool take_ids(Making* m, UniqueFd* root, Error* error) {
  Entry& entry = m->jail->entry;
  if (!m->rootless) return take_id_range(m->jail->locks.get(), &entry, error);
  entry.id_base = geteuid();
  entry.id_count = 1;
  // The folder was opened in the mount namespace that is left here.
  return become_namespace_root(error) && resolve_root(*m->spec, &entry, root, error);
}

bool has_limits(const JailSpec& spec) {
  return spec.limit_count > 0 || spec.memory != kUnlimited || spec.processes != kUnlimited;
}

// Everything that may need undoing is in jail->entry and its handles as soon as it is done.
bool make_jail(Making* m, Error* error) {
  Jail* jail = m->jail;
  const JailSpec& spec = *m->spec;
  UniqueFd root;
  Dumps dumps;
  if (!check_dumps(&dumps, error) || !take_place(m, &root, error)) return false;
  step_done("register");
  if (!take_ids(m, &root, error)) return false;
  // Not the host's root: a jail would use up what that one has.
  const uint32_t owner = m->rootless ? EffectiveUser::kNone : jail->entry.id_base;
  if (!m->holder.start(m->network, owner, error) || !map_jail_ids(m, error)) return false;
  step_done("id-map");
  if (!make_anchor_file(&m->anchor_file, error)) return false;
  if (!m->hidden.add(spec.state_dir, error)) return false;
  m->hidden.add_temporary_roots(m->rootless ? jail->entry.id_base : 0);
  if (!clone_root(root.get(), spec, m->ids, &m->tree, error)) return false;
  step_done("root");
  if (!raise_anchor(m, error)) return false;
  if (!limit_jail(jail, spec.memory, spec.processes, error)) return false;
  if (has_limits(spec)) step_done("limits");
  if (!read_pid_namespace(&jail->entry, error) || !open_entrance(jail, error)) return false;
  if (!write_entry(jail->state.get(), jail->entry, error)) return false;
  publish_jail(jail->state.get(), jail->entry);
  return true;
}

void reap(pid_t pid) {
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void reap_anchor(Jail* jail) {
  if (jail->entry.anchor == 0) return;
  kill_jail(jail);
  reap(jail->entry.anchor);
}

// ---- attach

// The owner's user namespace: above the jail's, which the anchor is in.
bool join_outer_namespace(const Jail& jail, Error* error) {
  const UniqueFd inner = open_proc(jail.entry.anchor, "ns/user", O_RDONLY);
  if (!inner) return fail(error, "enter", "open", "ns/user");
  const UniqueFd outer(ioctl(inner.get(), NS_GET_PARENT));
  if (!outer) return fail(error, "enter", "ioctl", "ns/user");
  if (setns(outer.get(), CLONE_NEWUSER) < 0) return fail(error, "enter", "setns");
  // One of its own, that can be come back to: see Birthplace.
  return unshare(CLONE_NEWNS) == 0 || fail(error, "enter", "unshare");
}

// The anchor's pid comes from a file: it counts only with the pid namespace that the file names
// too.
bool open_anchor(Jail* jail, Error* error) {
  const uint64_t expected = jail->entry.pid_namespace;
  jail->anchor.reset(static_cast<int>(syscall(SYS_pidfd_open, jail->entry.anchor, 0)));
  if (!jail->anchor || !read_pid_namespace(&jail->entry, error))
    return no_such_jail(jail->entry.jid, error);
  return jail->entry.pid_namespace == expected || no_such_jail(jail->entry.jid, error);
}

void open_cgroups(Jail* jail) {
  char list[sizeof jail->entry.cgroup];
  snprintf(list, sizeof list, "%s", jail->entry.cgroup);
  size_t n = 0;
  char* rest = nullptr;
  for (char* path = strtok_r(list, " ", &rest); path != nullptr && n < 2;
       path = strtok_r(nullptr, " ", &rest)) {
    char procs[600];
    snprintf(procs, sizeof procs, "%s/cgroup.procs", path);
    jail->cgroups[n++].reset(open(procs, O_WRONLY | O_CLOEXEC));
  }
}

// ---- signals

pid_t fork_signaller(const Jail& jail, int signal, int* pidfd) {
  Error ignored;
  const Birthplace birthplace(jail, &ignored);
  if (!birthplace) return -1;
  const auto pid = static_cast<pid_t>(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, pidfd, 0, 0));
  if (pid == 0) {
    kill(-1, signal);
    _exit(0);
  }
  return pid;
}

bool disconnect(const Jail& jail, Error* error) {
  const UniqueFd turn(
      openat(jail.state.get(), "links", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  return disconnect_in_turn(jail.entry.link, turn.get(), error);
}

void note_failure(void* first, const char*, const Error& error) {
  Error* noted = static_cast<Error*>(first);
  if (!noted->failed()) *noted = error;
}

}  // namespace

bool change_capabilities(Jail* jail, uint32_t capabilities, Error* error) {
  if (jail->owned) {
    if (!filter_sources(jail, capabilities, error)) return false;
    apply_capabilities(jail, capabilities);
    return true;
  }
  return fail_with_code(error, "capabilities", "ERR_JAIL_UNSUPPORTED", "",
                        "On this system only the monitor that made the jail can change its "
                        "capabilities: make the jail with "
                        "persist, or change them in the program that made it.");
}

bool create_jail(const JailSpec& spec, Jail* jail, Error* error) {
  give_way();
  Making m;
  m.spec = &spec;
  m.jail = jail;
  m.rootless = geteuid() != 0;
  if (make_jail(&m, error)) return true;
  Error ignored;
  reap_anchor(jail);
  if (jail->owned) undo_jail(jail, &ignored);
  return false;
}

bool attach_jail(const char* state_dir, uint32_t jid, Jail* jail, Error* error) {
  give_way();
  Dumps dumps;
  if (!check_dumps(&dumps, error) || !open_state(state_dir, &jail->state, error)) return false;
  UniqueFd locks;
  if (!open_locks(jail->state.get(), &locks) || !is_alive(locks.get(), jid, nullptr))
    return no_such_jail(jid, error);
  if (!read_entry(jail->state.get(), jid, &jail->entry)) return no_such_jail(jid, error);
  if (!open_anchor(jail, error)) return false;
  parse_limits(jail);
  open_cgroups(jail);
  if (geteuid() != 0 && !join_outer_namespace(*jail, error)) return false;
  if (!prepare_entrance(jail, jail->entry.capabilities, error) || !open_entrance(jail, error))
    return false;
  add_guest_monitor(jail->state.get(), jid);
  visit_jail(jail->state.get(), jid);
  return true;
}

int open_in_jail(const Jail& jail, const char* path) {
  struct {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
  } how = {O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0,
           0x10 /* IN_ROOT */ | 0x02 /* NO_MAGICLINKS */};
  UniqueFd fd(
      static_cast<int>(syscall(437 /* openat2 */, jail.root.get(), path, &how, sizeof how)));
  struct stat info;
  if (!fd || fstat(fd.get(), &info) < 0 || !S_ISREG(info.st_mode) || info.st_size > kMaxJailFile)
    return -1;
  return fd.release();
}

void tell_activity(const Jail& jail, bool running, bool stopping) {
  if (!jail.owned) return;
  if (stopping) return publish_activity(Activity::kStopping);
  publish_activity(running ? Activity::kRunning : Activity::kLook);
}

bool is_empty(const Jail& jail) { return !has_process(jail.state.get(), jail.entry); }

// kill(-1) reaches everything in the jail in one pass. The child that makes it is born in the
// jail's pid namespace, with the host's rights; rootless it has the jail's only user id, so that it
// can be stopped from inside: it is not waited for longer than a kill takes.
void signal_jail_processes(const Jail& jail, int signal) {
  constexpr int kPatience = 50;  // milliseconds
  int pidfd = -1;
  const pid_t pid = fork_signaller(jail, signal, &pidfd);
  if (pid < 0) return;
  const UniqueFd child(pidfd);
  pollfd ended = {pidfd, POLLIN, 0};
  if (poll(&ended, 1, kPatience) <= 0) syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void kill_jail(Jail* jail) {
  jail->lifeline.reset();
  if (jail->anchor) syscall(SYS_pidfd_send_signal, jail->anchor.get(), SIGKILL, nullptr, 0);
}

bool has_ended(Jail* jail) {
  if (jail->owned) reap(jail->entry.anchor);
  return true;
}

bool undo_jail(Jail* jail, Error* error) {
  const bool at_home = return_to_network();
  bool all = true;
  if (jail->entry.link[0] != '\0') {
    all = at_home ? disconnect(*jail, error) : fail(error, "link", "setns");
    step_done("link");
  }
  for (UniqueFd& procs : jail->cgroups) procs.reset();
  Error stuck;
  remove_cgroups(jail->entry, note_failure, &stuck);
  if (stuck.failed()) *error = stuck;
  all = all && !stuck.failed();
  if (jail->entry.cgroup[0] != '\0') step_done("limits");
  jail->root.reset();
  withdraw_jail();
  // What could not be undone is left to recover(), which knows of it by the entry.
  if (all) unregister_jail(jail->state.get(), jail->entry);
  jail->locks.reset();
  step_done("register");
  return all;
}

bool is_undone(const Jail& jail) {
  Entry entry;
  return !read_entry(jail.state.get(), jail.entry.jid, &entry) || entry.anchor != jail.entry.anchor;
}

}  // namespace dfjail
