#include "mounts_before.hh"

namespace dfjail {
namespace {

constexpr size_t kMost = 512;

struct Before {
  FsId ids[kMost];
  size_t count = 0;
  bool known = false;
};
Before before;

bool has(const FsId* ids, size_t count, const FsId& id) {
  for (size_t i = 0; i < count; i++) {
    if (ids[i] == id) return true;
  }
  return false;
}

}  // namespace

void note_mounts_before() {
  MountList mounts;
  before.known = mounts.read() && mounts.size() <= kMost;
  if (!before.known) return;
  before.count = mounts.size();
  for (size_t i = 0; i < before.count; i++) before.ids[i] = fsid_of(mounts[i]);
}

bool has_new_mount(const FsId* ours, size_t count) {
  MountList mounts;
  if (!before.known || !mounts.read()) return true;
  for (size_t i = 0; i < mounts.size(); i++) {
    const FsId id = fsid_of(mounts[i]);
    if (!has(before.ids, before.count, id) && !has(ours, count, id)) return true;
  }
  return false;
}

}  // namespace dfjail
