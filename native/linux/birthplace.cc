#include "birthplace.hh"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "entrance.hh"

namespace dfjail {
namespace {

// The monitor's own, opened before it goes anywhere.
struct Home {
  UniqueFd root;  // setns(2) changes it: to that of the namespace, not to that of a chroot
  UniqueFd mounts;
  UniqueFd network;
  bool known = false;
  bool away = false;  // from the network
};

Home& home() {
  static Home one;
  return one;
}

bool open_home(Home* at) {
  if (at->known) return true;
  at->root.reset(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  at->mounts.reset(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  at->network.reset(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  at->known = at->root && at->mounts && at->network;
  return at->known;
}

}  // namespace

Birthplace::Birthplace(const Jail& jail, Error* error) {
  Home& own = home();
  const int flags = own.away ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWNET;
  if (!open_home(&own)) {
    fail(error, "enter", "open", "/proc/self/ns");
  } else if (enter_namespaces(jail.anchor.get(), flags) < 0) {
    fail(error, "enter", "setns");
  } else {
    inside_ = true;
    own.away = true;
  }
}

Birthplace::~Birthplace() {
  if (!inside_) return;
  const Home& own = home();
  if (enter_namespaces(own.mounts.get(), CLONE_NEWNS) < 0 || fchdir(own.root.get()) < 0 ||
      chroot(".") < 0)
    abort();
}

bool return_to_network() {
  Home& own = home();
  if (own.away && enter_namespaces(own.network.get(), CLONE_NEWNET) == 0) own.away = false;
  return !own.away;
}

}  // namespace dfjail
