#include <stdlib.h>

#include "mount.hh"

namespace dfjail {

MountList::~MountList() { free(at_); }

bool MountList::read() {
  for (;;) {
    const int announced = ::getfsstat(nullptr, 0, MNT_NOWAIT);
    if (announced < 0) return false;
    const size_t room = static_cast<size_t>(announced) + 8;
    void* grown = realloc(at_, room * sizeof(struct statfs));
    if (grown == nullptr) return false;
    at_ = static_cast<struct statfs*>(grown);
    const int count = ::getfsstat(at_, static_cast<long>(room * sizeof(struct statfs)), MNT_NOWAIT);
    if (count < 0) return false;
    count_ = static_cast<size_t>(count);
    if (count_ < room) return true;  // else more may have come meanwhile
  }
}

}  // namespace dfjail
