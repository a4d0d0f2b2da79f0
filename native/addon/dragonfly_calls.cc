#include "dragonfly_calls.hh"

#include <string.h>

#include <memory>
#include <vector>

#include "../dragonfly/jail_calls.hh"
#include "../dragonfly/system_jail.hh"
#include "arguments.hh"
#include "dragonfly_arguments.hh"
#include "errors.hh"

namespace dfjail {
namespace {

bool refuse_image(const Napi::CallbackInfo& info) {
  Napi::TypeError::New(info.Env(), "Expected a struct jail and what it points to for image")
      .ThrowAsJavaScriptException();
  return false;
}

// A struct jail with its strings and addresses behind it, as src/backends/dragonfly packs it: each
// pointer is an offset into the image until it lies at its final place.
class JailImage {
 public:
  bool take(const Napi::CallbackInfo& info) {
    std::vector<int> pointers;
    const uint8_t* bytes = nullptr;
    size_t size = 0;
    // The bytes come last: a getter among the pointers could detach them.
    if (!get_integers(info, 1, "an array of at most 3 offsets for pointers", 0, 3, &pointers) ||
        !get_bytes(info, 0, "image", &bytes, &size)) {
      return false;
    }
    size_ = size;
    // One NUL more, so that no string runs over the end.
    at_ = std::make_unique<uint64_t[]>(size / sizeof(uint64_t) + 2);
    memcpy(at_.get(), bytes, size);
    for (const int place : pointers) {
      if (place < 0 || !relocate(static_cast<size_t>(place))) return refuse_image(info);
    }
    return holds_its_addresses() || refuse_image(info);
  }
  struct ::jail* get() { return reinterpret_cast<struct ::jail*>(at_.get()); }

 private:
  bool relocate(size_t place) {
    if (place % sizeof(uint64_t) != 0 || place + sizeof(uint64_t) > size_) return false;
    uint64_t* pointer = at_.get() + place / sizeof(uint64_t);
    if (*pointer >= size_) return false;
    *pointer += reinterpret_cast<uintptr_t>(at_.get());
    return true;
  }

  // The kernel would read behind our memory, and keep what it finds there as addresses.
  bool holds_its_addresses() {
    if (size_ < sizeof(jail_v0)) return false;
    if (get()->version != 1) return true;
    if (size_ < sizeof(struct ::jail)) return false;
    if (get()->n_ips == 0) return true;
    const auto start = reinterpret_cast<uintptr_t>(at_.get());
    const auto first = reinterpret_cast<uintptr_t>(get()->ips);
    if (first < start || first > start + size_) return false;
    return get()->n_ips <= (start + size_ - first) / sizeof(sockaddr_storage);
  }

  std::unique_ptr<uint64_t[]> at_;
  size_t size_ = 0;
};

// This process, all its threads, from here on and for good.
Napi::Value enter_new_jail(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  JailImage image;
  if (!image.take(info)) return env.Undefined();
  const int jid = ::jail(image.get());
  if (jid < 0) return throw_errno(env, "jail");
  return Napi::Number::New(env, jid);
}

// Likewise.
Napi::Value attach(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int jid = 0;
  if (!get_integer(info, 0, "jid", 1, INT32_MAX, &jid)) return env.Undefined();
  if (jail_enter(jid) < 0) return throw_errno(env, "jail_attach");
  return env.Undefined();
}

}  // namespace

void define_calls(Napi::Env env, Napi::Object exports) {
  exports.Set("jail", Napi::Function::New(env, enter_new_jail, "jail"));
  exports.Set("jailAttach", Napi::Function::New(env, attach, "jailAttach"));
}

}  // namespace dfjail
