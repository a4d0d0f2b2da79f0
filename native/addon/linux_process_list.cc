#include "linux_process_list.hh"

#include <optional>
#include <unordered_map>
#include <vector>

#include "../linux/processes.hh"
#include "arguments.hh"
#include "errors.hh"
#include "linux_host_processes.hh"
#include "linux_process_table.hh"
#include "registry.hh"

namespace dfjail {
namespace {

constexpr int kMaxSignal = 64;
constexpr size_t kMaxGuests = 256;

// ---- one jail

struct JailListing {
  JailIds ids;
  ProcessTable table;
};

void add_jailed(void* context, const Process& process) {
  auto* listing = static_cast<JailListing*>(context);
  listing->table.set_jail(listing->table.add(process), process, listing->ids);
}

Napi::Value jail_processes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Registry registry;
  Entry entry;
  if (!get_registry(info, 0, &registry) || !get_living(info, 1, registry, &entry)) {
    return env.Undefined();
  }
  JailListing listing = {JailIds(entry), ProcessTable(env)};
  each_jail_process(registry.state.get(), entry, add_jailed, &listing);
  return listing.table.finish();
}

// ---- the whole host

// Whose a process may be.
struct Owner {
  JailIds ids;
  pid_t anchor;
  uint64_t pid_namespace;
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
  bool is_monitor(pid_t pid) const {
    const Owner* owner = by_root(pid);
    return owner != nullptr && owner->anchor != pid;
  }
  // The jail that has this number among its ids. Rootless it is the user's own, which says nothing.
  const Owner* by_uid(uint32_t uid) const {
    for (const Owner& owner : owners_) {
      const JailIds& ids = owner.ids;
      if (ids.id_count > 1 && uid >= ids.id_base && uid - ids.id_base < ids.id_count) return &owner;
    }
    return nullptr;
  }
  bool empty() const { return owners_.empty(); }

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
    owners_.push_back({JailIds(entry), entry.anchor, entry.pid_namespace});
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
  size_t row;
  Process process;
  const Owner* owner;
  bool decided;
};

// What of a process tells whether it may be in a jail.
struct Trace {
  pid_t pid;
  pid_t parent;
  uint32_t uid;
  uint32_t gid;
};

struct HostListing {
  ProcessTable table;
  std::vector<Trace> traces;               // by row
  std::unordered_map<pid_t, size_t> rows;  // into traces
  std::vector<Nested> nested;
  std::unordered_map<pid_t, size_t> by_pid;  // into nested
};

void add_host(HostListing* listing) {
  HostReader reader;
  while (ProcessBatch* batch = reader.next()) {
    const char* arguments = batch->arguments.data();
    for (Process& process : batch->processes) {
      process.arguments = arguments;
      arguments += process.arguments_size;
      listing->table.add(process);
      listing->traces.push_back({process.pid, process.parent, process.uid, process.gid});
    }
  }
}

// A jail's processes come from its anchor or from its monitors, and have its ids: one of the two is
// enough to look closer, for a monitor may have been killed. Whoever comes from one that may be
// inside may be too.
class Suspects {
 public:
  Suspects(const HostListing& listing, const Owners& owners)
      : listing_(listing), owners_(owners), known_(listing.traces.size()) {}
  // The jail that it may be in, more likely than in any other.
  const Owner* jail_of(size_t start) {
    std::vector<size_t> chain;
    const Owner* answer = nullptr;
    for (size_t row = start; answer == nullptr;) {
      if (known_[row].decided) answer = known_[row].jail;
      if (known_[row].decided) break;
      known_[row].decided = true;  // so that a circle (pids were recycled while we read) ends
      chain.push_back(row);
      const Trace& trace = listing_.traces[row];
      answer = owners_.by_root(trace.pid);
      if (answer == nullptr) answer = owners_.by_uid(trace.uid);
      const auto parent = listing_.rows.find(trace.parent);
      if (parent == listing_.rows.end()) break;
      row = parent->second;
    }
    for (const size_t row : chain) known_[row].jail = answer;
    return answer;
  }

 private:
  struct Known {
    bool decided = false;
    const Owner* jail = nullptr;
  };
  const HostListing& listing_;
  const Owners& owners_;
  std::vector<Known> known_;
};

// Those of one jail are mostly found one after the other.
class Numbers {
 public:
  bool has(const Owner& jail, Process* process) {
    if (jail_ != &jail) numbers_.emplace(jail.anchor, jail.pid_namespace);
    jail_ = &jail;
    return numbers_->ask(process->pid, &process->jail_pid) == JailNumbers::Answer::kInside;
  }

 private:
  const Owner* jail_ = nullptr;
  std::optional<JailNumbers> numbers_;
};

void find_nested(HostListing* listing, const Owners& owners) {
  for (size_t row = 0; row < listing->traces.size(); row++)
    listing->rows[listing->traces[row].pid] = row;
  Suspects suspects(*listing, owners);
  Numbers numbers;
  for (size_t row = 0; row < listing->traces.size(); row++) {
    const Owner* jail = suspects.jail_of(row);
    if (jail == nullptr) continue;
    const Trace& trace = listing->traces[row];
    if (owners.is_monitor(trace.pid)) continue;
    Process process;
    process.pid = trace.pid;
    process.parent = trace.parent;
    process.uid = trace.uid;
    process.gid = trace.gid;
    const bool inside = numbers.has(*jail, &process);
    if (!inside && (!find_namespace(&process) || process.levels < 2)) continue;
    listing->by_pid[process.pid] = listing->nested.size();
    listing->nested.push_back({row, process, inside ? jail : nullptr, inside});
  }
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

// The entries are read after the processes: a jail made in between is known then.
Napi::Value list_processes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Registry registry;
  if (!get_registry(info, 0, &registry)) return env.Undefined();
  HostListing listing = {ProcessTable(env), {}, {}, {}, {}};
  add_host(&listing);
  const Owners owners(registry);
  if (owners.empty()) return listing.table.finish();
  find_nested(&listing, owners);
  for (size_t i = 0; i < listing.nested.size(); i++) {
    decide(&listing, owners, i);
    const Nested& nested = listing.nested[i];
    if (nested.owner == nullptr) continue;
    listing.table.set_jail(nested.row, nested.process, nested.owner->ids);
    // No process of the jail.
    if (nested.owner->anchor == nested.process.pid) listing.table.hide(nested.row);
  }
  return listing.table.finish();
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
