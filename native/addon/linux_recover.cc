#include "linux_recover.hh"

#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "../linux/processes.hh"
#include "arguments.hh"
#include "errors.hh"
#include "linux_registry.hh"
#include "promise_worker.hh"

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

struct Failure {
  std::string what;
  Error error;
};

struct Recovered {
  uint32_t jid = 0;
  std::string name;
  std::vector<std::string> undone;
  std::vector<Failure> failed;

  void note(const std::string& what, const Error& error) {
    if (error.failed()) failed.push_back({what, error});
    if (!error.failed()) undone.push_back(what);
  }
};

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

// False when it was gone already. The last processes leave a cgroup some time after they have died.
bool remove_cgroup(const std::string& path, Error* error) {
  for (int i = 0; i < kTries; i++) {
    if (rmdir(path.c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    if (errno != EBUSY) break;
    nanosleep(&kPause, nullptr);
  }
  return fail(error, "limits", "rmdir", path.c_str());
}

void remove_cgroups(const Entry& entry, Recovered* recovered) {
  const std::string list = entry.cgroup;
  for (size_t at = 0; at < list.size();) {
    size_t end = list.find(' ', at);
    if (end == std::string::npos) end = list.size();
    const std::string path = list.substr(at, end - at);
    Error error;
    const bool removed = remove_cgroup(path, &error);
    if (removed || error.failed()) recovered->note("cgroup " + path, error);
    // The common folder, unless another jail uses it.
    const size_t slash = path.rfind('/');
    if (removed && slash != std::string::npos) rmdir(path.substr(0, slash).c_str());
    at = end + 1;
  }
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
    remove_cgroups(entry, &recovered);
  }
  sweep_jail(registry.state.get(), jid, &error);
  recovered.note("registry entry", error);
  all->push_back(std::move(recovered));
}

bool add_jid(void* context, uint32_t jid) {
  static_cast<std::vector<uint32_t>*>(context)->push_back(jid);
  return true;
}

bool recover(const std::string& folder, uint32_t wanted, std::vector<Recovered>* all,
             Error* error) {
  Registry registry;
  if (!open_registry(folder, &registry, error)) return false;
  std::vector<uint32_t> jids;
  each_jid(registry.state.get(), add_jid, &jids);
  for (const uint32_t jid : jids) {
    const bool asked_for = wanted == 0 || wanted == jid;
    if (asked_for && !is_alive(registry.locks.get(), jid, nullptr)) undo(registry, jid, all);
  }
  return true;
}

// ---- into JavaScript

Napi::Object describe(Napi::Env env, const Recovered& recovered) {
  Napi::Object object = Napi::Object::New(env);
  Napi::Array undone = Napi::Array::New(env);
  for (uint32_t i = 0; i < recovered.undone.size(); i++) undone.Set(i, recovered.undone[i]);
  Napi::Array failed = Napi::Array::New(env);
  for (uint32_t i = 0; i < recovered.failed.size(); i++) {
    Napi::Object failure = Napi::Object::New(env);
    failure.Set("what", recovered.failed[i].what);
    failure.Set("error", make_error(env, recovered.failed[i].error));
    failed.Set(i, failure);
  }
  object.Set("jid", Napi::Number::New(env, recovered.jid));
  object.Set("name", recovered.name.empty() ? env.Null() : Napi::String::New(env, recovered.name));
  object.Set("undone", undone);
  object.Set("failed", failed);
  return object;
}

class Recover : public PromiseWorker {
 public:
  Recover(Napi::Env env, std::string folder, uint32_t jid)
      : PromiseWorker(env, "Recover"), folder_(std::move(folder)), jid_(jid) {}

 private:
  bool run(Error* error) override { return recover(folder_, jid_, &all_, error); }
  Napi::Value result(Napi::Env env) override {
    Napi::Array list = Napi::Array::New(env);
    for (uint32_t i = 0; i < all_.size(); i++) list.Set(i, describe(env, all_[i]));
    return list;
  }

  std::string folder_;
  uint32_t jid_;
  std::vector<Recovered> all_;
};

Napi::Value start_recover(const Napi::CallbackInfo& info) {
  std::string folder;
  int jid = 0;
  if (!get_text(info, 0, "stateDir", &folder) || !get_integer(info, 1, "jid", 0, INT32_MAX, &jid)) {
    return info.Env().Undefined();
  }
  return (new Recover(info.Env(), std::move(folder), static_cast<uint32_t>(jid)))->start();
}

}  // namespace

void define_recover(Napi::Env env, Napi::Object exports) {
  exports.Set("recover", Napi::Function::New(env, start_recover, "recover"));
}

}  // namespace dfjail
