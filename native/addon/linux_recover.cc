#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "../linux/cgroup.hh"
#include "../linux/processes.hh"
#include "recover.hh"
#include "registry.hh"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

// What a killed monitor leaves: its anchor for an instant, then folders of cgroups and its registry
// entry. Mounts and the network go with the anchor's namespaces.
namespace dfjail {
namespace {

constexpr int kAnchorPatience = 5000;  // ms; it goes by itself as soon as its lifeline has ended
constexpr int kTries = 100;
constexpr timespec kPause = {0, 10'000'000};

// The kernel kills everything in a pid namespace before its pid 1 is gone.
void end_processes(const Entry& entry, Recovered* recovered) {
  const UniqueFd anchor(static_cast<int>(syscall(SYS_pidfd_open, entry.anchor, 0)));
  if (!anchor || !is_anchor(entry.anchor, entry.pid_namespace)) return;
  Error error;
  if (syscall(SYS_pidfd_send_signal, anchor.get(), SIGKILL, nullptr, 0) < 0 && errno != ESRCH) {
    fail(&error, "kill", "pidfd_send_signal");
  }
  pollfd ended = {anchor.get(), POLLIN, 0};
  if (!error.failed() && poll(&ended, 1, kAnchorPatience) <= 0) {
    fail(&error, "kill", "poll", "", ETIMEDOUT);
  }
  recovered->note("processes", error);
}

void note_cgroup(void* recovered, const char* path, const Error& error) {
  static_cast<Recovered*>(recovered)->note(std::string("cgroup ") + path, error);
}

// The kernel takes the host's end of the veth pair away with the jail's network namespace, a moment
// after the last process.
void wait_for_link(const Entry& entry, Recovered* recovered) {
  if (entry.link[0] == '\0' || if_nametoindex(entry.link) == 0) return;
  Error error;
  int tries = 0;
  while (tries++ < kTries && if_nametoindex(entry.link) != 0) nanosleep(&kPause, nullptr);
  if (tries > kTries) fail(&error, "link", "if_nametoindex", entry.link, EBUSY);
  recovered->note(std::string("link ") + entry.link, error);
}

void undo(const Registry& registry, uint32_t jid, std::vector<Recovered>* all) {
  Recovered recovered;
  Entry entry;
  Error error;
  recovered.jid = jid;
  if (read_entry(registry.state.get(), jid, &entry)) {
    recovered.name = entry.name;
    end_processes(entry, &recovered);
    wait_for_link(entry, &recovered);
    remove_cgroups(entry, note_cgroup, &recovered);
  }
  // The entry is what tells the next recovery of what could not be undone now.
  if (recovered.failed.empty()) {
    sweep_jail(registry.state.get(), jid, &error);
    recovered.note("registry entry", error);
  }
  all->push_back(std::move(recovered));
}

bool add_jid(void* context, uint32_t jid) {
  static_cast<std::vector<uint32_t>*>(context)->push_back(jid);
  return true;
}

}  // namespace

bool recover(const std::string& folder, uint32_t wanted, Recovery* recovery, Error* error) {
  Registry registry;
  if (!open_registry(folder, &registry, error)) return false;
  if (!registry.state) return true;
  // Of jails whose locks nobody can ask for any more, nobody is alive.
  if (!registry.locks && !open_locks(registry.state.get(), &registry.locks)) {
    return fail(error, "", "open", (folder + "/locks").c_str());
  }
  std::vector<uint32_t> jids;
  each_jid(registry.state.get(), add_jid, &jids);
  for (const uint32_t jid : jids) {
    const bool asked_for = wanted == 0 || wanted == jid;
    if (asked_for && !is_alive(registry.locks.get(), jid, nullptr)) {
      undo(registry, jid, &recovery->jails);
    }
  }
  if (wanted == 0) sweep_names(registry.state.get());
  return true;
}

}  // namespace dfjail
