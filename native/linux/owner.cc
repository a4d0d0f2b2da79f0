#include "owner.hh"

#include <linux/capability.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dfjail {
namespace {

constexpr const char* kStep = "id-map";
constexpr int kUnchanged = -1;

struct Capabilities {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
};

bool set_effective(uint32_t uid) {
  return syscall(SYS_setresuid, kUnchanged, uid, kUnchanged) == 0;
}

}  // namespace

EffectiveUser::EffectiveUser(uint32_t uid, Error* error) {
  good_ = uid == kNone;
  if (good_) return;
  Capabilities own;
  if (syscall(SYS_capget, &own.header, own.sets) < 0) {
    fail(error, kStep, "capget");
  } else if (!set_effective(uid)) {
    fail(error, kStep, "setresuid");
  } else {
    changed_ = true;
    // They are gone from the effective set alone.
    good_ = syscall(SYS_capset, &own.header, own.sets) == 0 || fail(error, kStep, "capset");
  }
}

EffectiveUser::~EffectiveUser() {
  if (!changed_) return;
  if (!set_effective(0) && !set_effective(0)) abort();
}

}  // namespace dfjail
