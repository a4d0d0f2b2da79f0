#include "linux_registry.hh"

#include <stdio.h>
#include <string.h>

#include <vector>

#include "../linux/hostname.hh"
#include "../linux/processes.hh"
#include "arguments.hh"
#include "errors.hh"

namespace dfjail {
namespace {

const char* state_of(const Registry& registry, const Entry& entry) {
  if (entry.stopping) return "stopping";
  return has_process(registry.state.get(), entry) ? "running" : "empty";
}

std::string socket_of(const Registry& registry, const Entry& entry) {
  if (!entry.persist) return "";
  return registry.folder + "/jails/" + std::to_string(entry.jid) + "/socket";
}

// Everything but the hostname, which is asked for all jails together.
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
  number("anchorPid", entry.anchor);
  number("capabilities", entry.capabilities);
  number("idBase", entry.id_base);
  number("idCount", entry.id_count);
  text("socket", socket_of(registry, entry).c_str());
  return jail;
}

void set_hostname(Napi::Object jail, const HostnameQuery& query) {
  jail.Set("hostname", Napi::String::New(jail.Env(), query.hostname));
}

struct Listing {
  Napi::Env env;
  const Registry& registry;
  Napi::Array jails;
  std::vector<HostnameQuery> hostnames;
};

bool list_one(void* context, uint32_t jid) {
  auto* listing = static_cast<Listing*>(context);
  const Napi::HandleScope scope(listing->env);
  Entry entry;
  if (!read_living(listing->registry, jid, &entry)) return true;
  listing->jails.Set(static_cast<uint32_t>(listing->hostnames.size()),
                     describe(listing->env, listing->registry, entry));
  listing->hostnames.emplace_back(entry);
  return true;
}

Napi::Value list_entries(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Registry registry;
  if (!get_registry(info, 0, &registry)) return env.Undefined();
  Listing listing = {env, registry, Napi::Array::New(env), {}};
  each_jid(registry.state.get(), list_one, &listing);
  current_hostnames(listing.hostnames.data(), listing.hostnames.size());
  for (uint32_t i = 0; i < listing.hostnames.size(); i++) {
    const Napi::HandleScope scope(env);
    const Napi::Value jail = listing.jails.Get(i);
    set_hostname(jail.As<Napi::Object>(), listing.hostnames[i]);
  }
  return listing.jails;
}

// A name that is not one, or nobody's, is jid 0.
bool get_id(const Napi::CallbackInfo& info, const Registry& registry, uint32_t* jid) {
  if (info[1].IsNumber()) {
    int number = 0;
    if (!get_integer(info, 1, "id", 0, INT32_MAX, &number)) return false;
    *jid = static_cast<uint32_t>(number);
    return true;
  }
  std::string name;
  if (!get_text(info, 1, "id", &name)) return false;
  const bool plausible = name.size() <= kMaxName && name.find('/') == std::string::npos;
  if (!plausible || !find_name(registry.state.get(), name.c_str(), jid)) *jid = 0;
  return true;
}

// A name's link may be left of a dead jail, whose jid another one has now.
bool has_name(const Napi::CallbackInfo& info, const Entry& entry) {
  return info[1].IsNumber() || info[1].As<Napi::String>().Utf8Value() == entry.name;
}

Napi::Value find_entry(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Registry registry;
  uint32_t jid = 0;
  if (!get_registry(info, 0, &registry) || !get_id(info, registry, &jid)) return env.Undefined();
  Entry entry;
  if (!read_living(registry, jid, &entry) || !has_name(info, entry)) return env.Null();
  Napi::Object jail = describe(env, registry, entry);
  HostnameQuery query(entry);
  current_hostnames(&query, 1);
  set_hostname(jail, query);
  return jail;
}

}  // namespace

bool open_registry(const std::string& folder, Registry* registry, Error* error) {
  registry->folder = folder;
  if (!open_state(folder.c_str(), &registry->state, error)) return false;
  if (open_locks(registry->state.get(), &registry->locks)) return true;
  return fail(error, "", "open", (folder + "/locks").c_str());
}

bool get_registry(const Napi::CallbackInfo& info, size_t index, Registry* registry) {
  std::string folder;
  Error error;
  if (!get_text(info, index, "stateDir", &folder)) return false;
  if (open_registry(folder, registry, &error)) return true;
  throw_error(info.Env(), error);
  return false;
}

bool read_living(const Registry& registry, uint32_t jid, Entry* entry) {
  if (jid == 0 || jid > kMaxJid || !is_alive(registry.locks.get(), jid, nullptr)) return false;
  return read_entry(registry.state.get(), jid, entry) && entry->anchor > 0;
}

bool get_living(const Napi::CallbackInfo& info, size_t index, const Registry& registry,
                Entry* entry) {
  int jid = 0;
  if (!get_integer(info, index, "jid", 0, INT32_MAX, &jid)) return false;
  if (read_living(registry, static_cast<uint32_t>(jid), entry)) return true;
  Error error;
  fail_with_code(&error, "", "ERR_JAIL_NOT_FOUND", std::to_string(jid).c_str(),
                 "No running jail has this id");
  throw_error(info.Env(), error);
  return false;
}

void define_registry(Napi::Env env, Napi::Object exports) {
  exports.Set("listEntries", Napi::Function::New(env, list_entries, "listEntries"));
  exports.Set("findEntry", Napi::Function::New(env, find_entry, "findEntry"));
}

}  // namespace dfjail
