#include "dragonfly_sysctl.hh"

#include <stdlib.h>
#include <string.h>

#include <memory>
#include <string>
#include <vector>

#include "../dragonfly/sysctl.hh"
#include "arguments.hh"
#include "dragonfly_arguments.hh"
#include "errors.hh"

namespace dfjail {
namespace {

constexpr size_t kSlack = 1024;  // bytes; what changes size is usually longer at the next look

struct Free {
  void operator()(void* bytes) const { free(bytes); }
};

// A node, and what to call it in an error.
struct Node {
  Mib mib;
  std::string text;
};

bool get_mib(const Napi::CallbackInfo& info, Node* node) {
  std::vector<int> numbers;
  constexpr const char* kExpected = "a name or an array of 1 to 12 integers for id";
  static_assert(kMaxMib == 12, "what kExpected says");
  if (!get_integers(info, 0, kExpected, 1, kMaxMib, &numbers)) return false;
  for (const int number : numbers) {
    node->text += (node->text.empty() ? "" : ".") + std::to_string(number);
    node->mib.at[node->mib.length++] = number;
  }
  return true;
}

bool get_node(const Napi::CallbackInfo& info, Node* node) {
  if (!info[0].IsString()) return get_mib(info, node);
  if (!get_text(info, 0, "id", &node->text)) return false;
  if (sysctl_find(node->text.c_str(), &node->mib)) return true;
  throw_errno(info.Env(), "sysctl", node->text.c_str());
  return false;
}

Napi::Value get(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Node node;
  if (!get_node(info, &node)) return env.Undefined();
  size_t size = 0;
  const std::unique_ptr<void, Free> bytes(sysctl_get_all(node.mib, kSlack, &size));
  if (!bytes) return throw_errno(env, "sysctl", node.text.c_str());
  Napi::Uint8Array copy = Napi::Uint8Array::New(env, size);
  if (size > 0 && copy.Data() != nullptr) memcpy(copy.Data(), bytes.get(), size);
  return copy;
}

Napi::Value set(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Node node;
  const uint8_t* bytes = nullptr;
  size_t size = 0;
  if (!get_node(info, &node) || !get_bytes(info, 1, "bytes", &bytes, &size)) return env.Undefined();
  if (!sysctl_set(node.mib, bytes, size)) return throw_errno(env, "sysctl", node.text.c_str());
  return env.Undefined();
}

// False: it is gone meanwhile, as a jail's nodes may be.
bool describe(Napi::Object object, const Mib& mib) {
  const Napi::Env env = object.Env();
  char name[512] = "";
  char format[64] = "";
  char description[512] = "";
  uint32_t kind = 0;
  if (!sysctl_name(mib, name, sizeof name)) return false;
  if (!sysctl_type(mib, &kind, format, sizeof format)) return false;
  sysctl_description(mib, description, sizeof description);  // many have none
  Napi::Array numbers = Napi::Array::New(env, mib.length);
  for (uint32_t i = 0; i < mib.length; i++) numbers.Set(i, Napi::Number::New(env, mib.at[i]));
  object.Set("name", Napi::String::New(env, name));
  object.Set("mib", numbers);
  object.Set("kind", Napi::Number::New(env, kind));
  object.Set("format", Napi::String::New(env, format));
  object.Set("description", Napi::String::New(env, description));
  return true;
}

Napi::Value describe_node(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Node node;
  if (!get_node(info, &node)) return env.Undefined();
  Napi::Object object = Napi::Object::New(env);
  if (!describe(object, node.mib)) return throw_errno(env, "sysctl", node.text.c_str());
  return object;
}

bool starts_with(const Mib& mib, const Mib& prefix) {
  return mib.length >= prefix.length &&
         memcmp(mib.at, prefix.at, prefix.length * sizeof prefix.at[0]) == 0;
}

void push(Napi::Array list, const Mib& mib) {
  const Napi::HandleScope scope(list.Env());
  Napi::Object object = Napi::Object::New(list.Env());
  if (describe(object, mib)) list.Set(list.Length(), object);
}

// Ends with ENOENT behind the last node; a jail that goes meanwhile only takes its own nodes along.
bool walk(Napi::Array list, const Mib& top) {
  Mib at = top;
  Mib next;
  while (sysctl_next(at, &next)) {
    if (!starts_with(next, top)) return true;
    push(list, next);
    at = next;
  }
  return errno == ENOENT;
}

// Without an id: the whole tree.
Napi::Value list_nodes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Node top;
  if (info.Length() > 0 && !get_node(info, &top)) return env.Undefined();
  Napi::Array list = Napi::Array::New(env);
  if (!walk(list, top.mib)) return throw_errno(env, "sysctl", top.text.c_str());
  // A leaf has nothing below it and stands for itself.
  if (list.Length() == 0 && top.mib.length > 0) push(list, top.mib);
  return list;
}

}  // namespace

void define_sysctl(Napi::Env env, Napi::Object exports) {
  exports.Set("sysctlGet", Napi::Function::New(env, get, "sysctlGet"));
  exports.Set("sysctlSet", Napi::Function::New(env, set, "sysctlSet"));
  exports.Set("sysctlNode", Napi::Function::New(env, describe_node, "sysctlNode"));
  exports.Set("sysctlList", Napi::Function::New(env, list_nodes, "sysctlList"));
}

}  // namespace dfjail
