#include "registry.hh"

#include "arguments.hh"
#include "errors.hh"

namespace dfjail {
namespace {

struct Listing {
  Napi::Env env;
  const Registry& registry;
  Kernel* kernel;
  Napi::Array jails;
};

const char* state_of(const Listing& listing, const Entry& entry) {
  if (entry.stopping) return "stopping";
  return listing.kernel->has_process(listing.registry, entry) ? "running" : "empty";
}

std::string socket_of(const Registry& registry, const Entry& entry) {
  if (!entry.persist) return "";
  return registry.folder + "/jails/" + std::to_string(entry.jid) + "/socket";
}

// DragonFly has no anchor process and no ranges of ids: 0.
Napi::Object describe(const Listing& listing, const Entry& entry) {
  const Napi::Env env = listing.env;
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
  text("state", state_of(listing, entry));
  jail.Set("persist", Napi::Boolean::New(env, entry.persist));
  number("monitorPid", entry.monitor);
  number("anchorPid", entry.anchor);
  number("capabilities", entry.capabilities);
  number("idBase", entry.id_base);
  number("idCount", entry.id_count);
  text("socket", socket_of(listing.registry, entry).c_str());
  return jail;
}

void add(Listing* listing, const Entry& entry) {
  listing->jails.Set(listing->jails.Length(), describe(*listing, entry));
  listing->kernel->added(entry);
}

bool list_one(void* context, uint32_t jid) {
  auto* listing = static_cast<Listing*>(context);
  const Napi::HandleScope scope(listing->env);
  Entry entry;
  if (read_living(listing->registry, jid, &entry)) add(listing, entry);
  return true;
}

bool look(Napi::Env env, Kernel* kernel) {
  Error error;
  if (kernel->look(&error)) return true;
  throw_error(env, error);
  return false;
}

Napi::Value list_entries(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::unique_ptr<Kernel> kernel = make_kernel();
  Registry registry;
  if (!get_registry(info, 0, &registry) || !look(env, kernel.get())) return env.Undefined();
  Listing listing = {env, registry, kernel.get(), Napi::Array::New(env)};
  each_jid(registry.state.get(), list_one, &listing);
  kernel->complete(listing.jails);
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
  const std::unique_ptr<Kernel> kernel = make_kernel();
  Registry registry;
  uint32_t jid = 0;
  std::string name;
  if (!get_registry(info, 0, &registry) || !get_id(info, registry, &jid, &name)) {
    return env.Undefined();
  }
  Entry entry;
  if (!read_living(registry, jid, &entry)) return env.Null();
  // A name's link may be left of a dead jail, whose jid another one has now.
  if (!info[1].IsNumber() && name != entry.name) return env.Null();
  if (!look(env, kernel.get())) return env.Undefined();
  Listing listing = {env, registry, kernel.get(), Napi::Array::New(env)};
  add(&listing, entry);
  kernel->complete(listing.jails);
  return listing.jails.Get(0U);
}

}  // namespace

bool open_registry(const std::string& folder, Registry* registry, Error* error) {
  registry->folder = folder;
  if (!find_state(folder.c_str(), &registry->state, error)) return false;
  if (!registry->state || find_locks(registry->state.get(), &registry->locks)) return true;
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

// Pending ids, of jails that are being made, are above kMaxJid.
bool read_living(const Registry& registry, uint32_t jid, Entry* entry) {
  if (jid == 0 || jid > kMaxJid || !registry.locks) return false;
  if (!is_alive(registry.locks.get(), jid, nullptr)) return false;
  return read_entry(registry.state.get(), jid, entry) && is_ready(*entry);
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
