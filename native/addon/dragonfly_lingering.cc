#include "dragonfly_lingering.hh"

#include <arpa/inet.h>

#include "../dragonfly/connections.hh"
#include "../dragonfly/lingering.hh"
#include "errors.hh"
#include "registry.hh"

namespace dfjail {
namespace {

struct List {
  Napi::Env env;
  Napi::Array items;
  void add(Napi::Object item) { items.Set(items.Length(), item); }
};

bool add_jail(void* context, const Entry& entry) {
  auto* list = static_cast<List*>(context);
  const Napi::HandleScope scope(list->env);
  Napi::Object jail = Napi::Object::New(list->env);
  const auto text = [&](const char* key, const char* value) {
    jail.Set(key, Napi::String::New(list->env, value));
  };
  jail.Set("jid", Napi::Number::New(list->env, entry.jid));
  text("name", entry.name);
  text("hostname", entry.hostname);
  text("path", entry.path);
  text("addresses", entry.addresses);
  text("scopeids", entry.scopeids);
  list->add(jail);
  return true;
}

Napi::Value lingering_jails(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Registry registry;
  if (!get_registry(info, 0, &registry)) return env.Undefined();
  List list = {env, Napi::Array::New(env)};
  each_lingering(registry.state.get(), add_jail, &list);
  return list.items;
}

Napi::String address_text(Napi::Env env, const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.family, address.bytes, text, sizeof text);
  return Napi::String::New(env, text);
}

bool add_connection(void* context, const EndingConnection& connection) {
  auto* list = static_cast<List*>(context);
  const Napi::Env env = list->env;
  const Napi::HandleScope scope(env);
  Napi::Object item = Napi::Object::New(env);
  item.Set("local", address_text(env, connection.local));
  item.Set("localPort", Napi::Number::New(env, connection.local_port));
  item.Set("remote", address_text(env, connection.remote));
  item.Set("remotePort", Napi::Number::New(env, connection.remote_port));
  item.Set("state", Napi::String::New(env, connection.state));
  list->add(item);
  return true;
}

Napi::Value ending_connections(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  List list = {env, Napi::Array::New(env)};
  Error error;
  if (each_ending_connection(add_connection, &list, &error)) return list.items;
  throw_error(env, error);
  return env.Undefined();
}

}  // namespace

void define_lingering(Napi::Env env, Napi::Object exports) {
  exports.Set("lingeringJails", Napi::Function::New(env, lingering_jails, "lingeringJails"));
  exports.Set("endingConnections",
              Napi::Function::New(env, ending_connections, "endingConnections"));
}

}  // namespace dfjail
