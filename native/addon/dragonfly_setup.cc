#include "dragonfly_setup.hh"

#include <string.h>

#include <string>

#include "../dragonfly/alias.hh"
#include "../dragonfly/mount.hh"
#include "arguments.hh"
#include "errors.hh"

namespace dfjail {
namespace {

// In the order of mounting; the kernel cuts them at 79 bytes.
Napi::Value mount_points(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  MountList list;
  if (!list.read()) return throw_errno(env, "getfsstat");
  Napi::Array points = Napi::Array::New(env, list.size());
  for (size_t i = 0; i < list.size(); i++) {
    const char* name = list[i].f_mntonname;
    const size_t length = strnlen(name, sizeof list[i].f_mntonname);
    points.Set(static_cast<uint32_t>(i), Napi::String::New(env, name, length));
  }
  return points;
}

Napi::Value unmount_by_force(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string path;
  if (!get_text(info, 0, "path", &path)) return env.Undefined();
  if (!unmount_path(path.c_str(), MNT_FORCE)) return throw_errno(env, "unmount", path.c_str());
  return env.Undefined();
}

Napi::Value remove_alias(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string interface;
  std::string text;
  if (!get_text(info, 0, "interface", &interface) || !get_text(info, 1, "address", &text)) {
    return env.Undefined();
  }
  Address address;
  if (!parse_address(text.c_str(), &address)) {
    return throw_errno(env, "inet_pton", text.c_str(), EINVAL);
  }
  if (!alias_remove(interface.c_str(), address, 0)) {
    return throw_errno(env, "ioctl", text.c_str());
  }
  return env.Undefined();
}

}  // namespace

void define_setup(Napi::Env env, Napi::Object exports) {
  exports.Set("mountPoints", Napi::Function::New(env, mount_points, "mountPoints"));
  exports.Set("unmount", Napi::Function::New(env, unmount_by_force, "unmount"));
  exports.Set("removeAlias", Napi::Function::New(env, remove_alias, "removeAlias"));
}

}  // namespace dfjail
