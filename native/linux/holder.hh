#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "../common/address.hh"
#include "../common/error.hh"
#include "../common/unique_fd.hh"
#include "../monitor/spec.hh"

namespace dfjail {

// The addresses that a jail's network gets.
struct JailNetwork {
  Address addresses[kMaxAddresses];
  size_t count = 0;
  bool linked = false;  // a veth pair is needed
};

// The process that owns the jail's user namespace and its network namespace until the anchor has
// joined them. The kernel needs as long for a network namespace, and for what is in it, as for
// everything else of a jail: so they are made beside the mounts. It ends with this object.
class NamespaceHolder {
 public:
  NamespaceHolder() = default;
  NamespaceHolder(const NamespaceHolder&) = delete;
  NamespaceHolder& operator=(const NamespaceHolder&) = delete;
  ~NamespaceHolder();

  // It is there, with a user namespace of that owner's, whose ids are yet to be mapped; it goes on
  // at once to make the network namespace (step 'id-map'). See EffectiveUser for the owner.
  bool start(const JailNetwork& network, uint32_t owner, Error* error);
  // Something failed that needs it: was that because it has ended? Then its own error takes the
  // place.
  void explain(Error* error);
  // It has its network namespace (step 'enter').
  bool await_network(Error* error);
  // It begins to give the network its addresses: see configure_jail(). After the other end of the
  // link is there.
  bool configure(Error* error);
  // They are there (step 'address').
  bool await_configured(Error* error);

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }

 private:
  [[noreturn]] static void run(const JailNetwork& network, int gate, int report);
  bool await(const char* step, Error* error);

  pid_t pid_ = -1;
  UniqueFd pidfd_;
  UniqueFd gate_;    // our end: its end is the process's end
  UniqueFd report_;  // our end
};

}  // namespace dfjail
