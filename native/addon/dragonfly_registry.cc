#include "dragonfly_registry.hh"

#include <string>

#include "../common/registry.hh"
#include "../dragonfly/processes.hh"
#include "arguments.hh"
#include "errors.hh"

namespace dfjail {
namespace {

// A state directory, open for reading, and the processes of the host at that moment.
struct Registry {
  std::string folder;
  UniqueFd state;
  UniqueFd locks;
  ProcessList processes;
};

bool open_registry(Registry* registry, Error* error) {
  if (!open_state(registry->folder.c_str(), &registry->state, error)) return false;
  if (!open_locks(registry->state.get(), &registry->locks)) {
    return fail(error, "", "open", (registry->folder + "/locks").c_str());
  }
  return registry->processes.read(error);
}

bool get_registry(const Napi::CallbackInfo& info, Registry* registry) {
  Error error;
  if (!get_text(info, 0, "stateDir", &registry->folder)) return false;
  if (open_registry(registry, &error)) return true;
  throw_error(info.Env(), error);
  return false;
}

// Pending ids, of jails that are being made, are above kMaxJid.
bool read_living(const Registry& registry, uint32_t jid, Entry* entry) {
  if (jid == 0 || jid > kMaxJid || !is_alive(registry.locks.get(), jid, nullptr)) return false;
  return read_entry(registry.state.get(), jid, entry);
}

const char* state_of(const Registry& registry, const Entry& entry) {
  if (entry.stopping) return "stopping";
  for (const kinfo_proc& process : registry.processes) {
    if (is_in_jail(process, entry.jid) && is_alive(process)) return "running";
  }
  return "empty";
}

std::string socket_of(const Registry& registry, const Entry& entry) {
  if (!entry.persist) return "";
  return registry.folder + "/jails/" + std::to_string(entry.jid) + "/socket";
}

// The hostname is the one that it was made with: the kernel's own is in jail.list.
Napi::Object describe(Napi::Env env, const Registry& registry, const Entry& entry) {
  Napi::Object jail = Napi::Object::New(env);
  const auto number = [&](const char* key, double value) {
    jail.Set(key, Napi::Number::New(env, value));
  };
  const auto text = [&](const char* key, const char* value) {
    jail.Set(key, Napi::String::New(env, value));
  };
  number("jid", entry.jid);
  text("name", entry.name);
  text("hostname", entry.hostname);
  text("path", entry.path);
  text("addresses", entry.addresses);
  text("scopeids", entry.scopeids);
  text("state", state_of(registry, entry));
  jail.Set("persist", Napi::Boolean::New(env, entry.persist));
  number("monitorPid", entry.monitor);
  number("anchorPid", 0);  // the anchor is a descriptor of the monitor
  number("capabilities", entry.capabilities);
  number("idBase", 0);
  number("idCount", 0);
  text("socket", socket_of(registry, entry).c_str());
  return jail;
}

struct Listing {
  Napi::Env env;
  const Registry& registry;
  Napi::Array jails;
};

bool list_one(void* context, uint32_t jid) {
  auto* listing = static_cast<Listing*>(context);
  const Napi::HandleScope scope(listing->env);
  Entry entry;
  if (!read_living(listing->registry, jid, &entry)) return true;
  listing->jails.Set(listing->jails.Length(), describe(listing->env, listing->registry, entry));
  return true;
}

Napi::Value list_entries(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Registry registry;
  if (!get_registry(info, &registry)) return env.Undefined();
  Listing listing = {env, registry, Napi::Array::New(env)};
  each_jid(registry.state.get(), list_one, &listing);
  return listing.jails;
}

// By jid, or by name, which is then in *name; a name that is not one, or nobody's, is jid 0.
bool get_id(const Napi::CallbackInfo& info, const Registry& registry, uint32_t* jid,
            std::string* name) {
  int number = 0;
  *jid = 0;
  if (info[1].IsNumber()) {
    if (!get_integer(info, 1, "id", 0, INT32_MAX, &number)) return false;
    *jid = static_cast<uint32_t>(number);
    return true;
  }
  if (!get_text(info, 1, "id", name)) return false;
  const bool plausible = name->size() <= kMaxName && name->find('/') == std::string::npos;
  if (!plausible || !find_name(registry.state.get(), name->c_str(), jid)) *jid = 0;
  return true;
}

Napi::Value find_entry(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Registry registry;
  uint32_t jid = 0;
  std::string name;
  if (!get_registry(info, &registry) || !get_id(info, registry, &jid, &name)) {
    return env.Undefined();
  }
  Entry entry;
  if (!read_living(registry, jid, &entry)) return env.Null();
  // A name's link may be left of a dead jail, whose jid another one has now.
  if (!name.empty() && name != entry.name) return env.Null();
  return describe(env, registry, entry);
}

}  // namespace

void define_registry(Napi::Env env, Napi::Object exports) {
  exports.Set("listEntries", Napi::Function::New(env, list_entries, "listEntries"));
  exports.Set("findEntry", Napi::Function::New(env, find_entry, "findEntry"));
}

}  // namespace dfjail
