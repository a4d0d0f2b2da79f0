#pragma once

#include <stdint.h>

#include "../common/error.hh"

namespace dfjail {

// While one of these is in scope the monitor of root has another effective user, and keeps all its
// capabilities. A user namespace belongs to whoever makes it: what its processes use of all that
// the kernel counts by user is counted for that one as well, and refused when that one has used it
// up.
class EffectiveUser {
 public:
  // Fails (step 'id-map') where it cannot be. kNone: nothing is done.
  EffectiveUser(uint32_t uid, Error* error);
  // Ends the monitor rather than to go on as somebody else.
  ~EffectiveUser();
  EffectiveUser(const EffectiveUser&) = delete;
  EffectiveUser& operator=(const EffectiveUser&) = delete;
  explicit operator bool() const { return good_; }

  static constexpr uint32_t kNone = ~uint32_t{0};

 private:
  bool changed_ = false;
  bool good_ = false;
};

}  // namespace dfjail
