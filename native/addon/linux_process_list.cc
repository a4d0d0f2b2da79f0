#include "linux_process_list.hh"

#include <unordered_map>
#include <vector>

#include "../linux/processes.hh"
#include "arguments.hh"
#include "errors.hh"
#include "linux_process_object.hh"
#include "linux_registry.hh"

namespace dfjail {
namespace {

constexpr int kMaxSignal = 64;
constexpr size_t kMaxGuests = 256;

// ---- one jail

struct JailListing {
  Napi::Env env;
  JailIds ids;
  const ProcessObjects& objects;
  Napi::Array list;
  uint32_t count;
};

void add_jailed(void* context, const Process& process) {
  auto* listing = static_cast<JailListing*>(context);
  const Napi::HandleScope scope(listing->env);
  const Napi::Object object = listing->objects.make(process);
  listing->objects.set_jail(object, process, listing->ids);
  listing->list.Set(listing->count++, object);
}

Napi::Value jail_processes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Registry registry;
  Entry entry;
  if (!get_registry(info, 0, &registry) || !get_living(info, 1, registry, &entry)) {
    return env.Undefined();
  }
  const ProcessObjects objects(env);
  JailListing listing = {env, JailIds(entry), objects, Napi::Array::New(env), 0};
  each_jail_process(registry.state.get(), entry, add_jailed, &listing);
  return listing.list;
}

// ---- the whole host

// Whose a process may be.
struct Owner {
  JailIds ids;
  pid_t anchor;
};

// All living jails, by what a process may have in common with them.
class Owners {
 public:
  explicit Owners(const Registry& registry) : registry_(registry) {
    each_jid(registry.state.get(), add, this);
  }

  const Owner* by_namespace(uint64_t inode) const { return find(by_namespace_, inode); }
  // The anchors, and the monitors, whose children below our pid namespace are the jail's.
  const Owner* by_root(pid_t pid) const { return find(by_root_, pid); }

 private:
  template <typename Map, typename Key>
  const Owner* find(const Map& map, const Key& key) const {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &owners_[found->second];
  }
  static bool add(void* context, uint32_t jid) {
    auto* self = static_cast<Owners*>(context);
    Entry entry;
    if (read_living(self->registry_, jid, &entry)) self->add_entry(entry);
    return true;
  }
  void add_entry(const Entry& entry) {
    const size_t index = owners_.size();
    owners_.push_back({JailIds(entry), entry.anchor});
    by_namespace_[entry.pid_namespace] = index;
    by_root_[entry.anchor] = index;
    by_root_[entry.monitor] = index;
    pid_t guests[kMaxGuests];
    const size_t count = guest_monitors(registry_.state.get(), entry.jid, guests, kMaxGuests);
    for (size_t i = 0; i < count; i++) by_root_[guests[i]] = index;
  }

  const Registry& registry_;
  std::vector<Owner> owners_;
  std::unordered_map<uint64_t, size_t> by_namespace_;
  std::unordered_map<pid_t, size_t> by_root_;
};

// A process that is in some pid namespace below ours, and what has been found out about it.
struct Nested {
  uint32_t index;  // in the list
  Process process;
  const Owner* owner;
  bool decided;
};

struct HostListing {
  Napi::Env env;
  const ProcessObjects& objects;
  Napi::Array list;
  uint32_t count;
  std::vector<Nested> nested;
  std::unordered_map<pid_t, size_t> by_pid;  // into nested
};

void add_any(void* context, const Process& process) {
  auto* listing = static_cast<HostListing*>(context);
  const Napi::HandleScope scope(listing->env);
  listing->list.Set(listing->count, listing->objects.make(process));
  if (process.levels >= 2) {
    listing->by_pid[process.pid] = listing->nested.size();
    listing->nested.push_back({listing->count, process, nullptr, false});
  }
  listing->count++;
}

// By itself: its pid namespace says so, or, where that cannot be read, its parent.
const Owner* owner_by_itself(const Nested& nested, const Owners& owners) {
  if (const Owner* owner = owners.by_namespace(nested.process.pid_namespace)) return owner;
  const Owner* owner = owners.by_root(nested.process.pid);
  if (owner != nullptr && owner->anchor == nested.process.pid) return owner;
  return nested.process.pid_namespace == 0 ? owners.by_root(nested.process.parent) : nullptr;
}

// Or else as its nearest ancestor that is known: one whose namespace cannot be read, or is below a
// jail's. By a list, for such a chain may be long; a process counts as decided while it is on it,
// so that a circle (pids were recycled while we read) ends.
void decide(HostListing* listing, const Owners& owners, size_t start) {
  std::vector<size_t> chain;
  const Owner* owner = nullptr;
  for (size_t i = start;;) {
    Nested& nested = listing->nested[i];
    owner = nested.owner;
    if (nested.decided) break;
    nested.decided = true;
    chain.push_back(i);
    owner = owner_by_itself(nested, owners);
    const auto parent = listing->by_pid.find(nested.process.parent);
    if (owner != nullptr || parent == listing->by_pid.end()) break;
    i = parent->second;
  }
  for (const size_t i : chain) listing->nested[i].owner = owner;
}

void set_owner(const HostListing& listing, const Nested& nested) {
  const Napi::Value object = listing.list.Get(nested.index);
  listing.objects.set_jail(object.As<Napi::Object>(), nested.process, nested.owner->ids);
}

// The list without the anchors, which are no processes of the jail.
Napi::Value without(const HostListing& listing, const std::vector<bool>& hidden) {
  Napi::Array list = Napi::Array::New(listing.env);
  uint32_t count = 0;
  for (uint32_t i = 0; i < listing.count; i++) {
    const Napi::HandleScope scope(listing.env);
    if (!hidden[i]) list.Set(count++, listing.list.Get(i));
  }
  return list;
}

// The entries are read after the processes: a jail made in between is known then.
Napi::Value list_processes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Registry registry;
  if (!get_registry(info, 0, &registry)) return env.Undefined();
  const ProcessObjects objects(env);
  HostListing listing = {env, objects, Napi::Array::New(env), 0, {}, {}};
  each_process(add_any, &listing);
  if (listing.nested.empty()) return listing.list;
  const Owners owners(registry);
  std::vector<bool> hidden(listing.count, false);
  for (size_t i = 0; i < listing.nested.size(); i++) {
    const Napi::HandleScope scope(env);
    decide(&listing, owners, i);
    const Nested& nested = listing.nested[i];
    if (nested.owner == nullptr) continue;
    hidden[nested.index] = nested.owner->anchor == nested.process.pid;
    set_owner(listing, nested);
  }
  return without(listing, hidden);
}

// ---- signals

Napi::Value signal_all(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Registry registry;
  Entry entry;
  int signal = 0;
  if (!get_integer(info, 2, "signal", 0, kMaxSignal, &signal)) return env.Undefined();
  if (!get_registry(info, 0, &registry) || !get_living(info, 1, registry, &entry)) {
    return env.Undefined();
  }
  return Napi::Number::New(env, signal_jail(registry.state.get(), entry, signal));
}

}  // namespace

void define_process_list(Napi::Env env, Napi::Object exports) {
  exports.Set("listProcesses", Napi::Function::New(env, list_processes, "listProcesses"));
  exports.Set("jailProcesses", Napi::Function::New(env, jail_processes, "jailProcesses"));
  exports.Set("signalJail", Napi::Function::New(env, signal_all, "signalJail"));
}

}  // namespace dfjail
