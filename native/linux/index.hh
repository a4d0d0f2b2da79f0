#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "../common/error.hh"
#include "../common/registry.hh"
#include "../common/unique_fd.hh"

// What changes about the jails of a registry, for those who list them often: <state>/index, a file
// of one slot for each jid that monitors and readers map into their memory. What it tells costs no
// system call. All else about a jail is in its entry, and stays as it is while the generation does.
//
// That a monitor is dead is told by the kernel: the owner is a robust futex (set_robust_list(2)),
// which gets FUTEX_OWNER_DIED with whatever ends its owner. A slot of before the last boot has
// another boot's mark. Locks, not this, say who may have a jid; without the file everything works
// as with it, only slower.
namespace dfjail {

enum class Activity : uint32_t {
  kLook,      // nobody of us knows: whoever wants to know looks at the processes
  kEmpty,     // nothing has been run in it so far
  kRunning,   // a command of its monitor runs
  kStopping,  // it is about to end
};

struct IndexSlot {
  uint32_t owner;       // the monitor's pid and what the kernel adds to it
  uint32_t boot;        // since when: slots outlive a restart of the machine
  uint32_t generation;  // another one for every jail that has had this jid; 0: not ready
  Activity activity;
  uint32_t visited;  // another program has been in it: then kEmpty is not to be believed
  pid_t anchor;
  uint64_t pid_namespace;
};

// For the owner, once it is ready. Where the file cannot be made there is no slot, and nothing to
// undo.
void publish_jail(int state, const Entry& entry);
void publish_activity(Activity activity);
void withdraw_jail();
// For a monitor that enters somebody else's jail.
void visit_jail(int state, uint32_t jid);

// For readers. Lives within one listing.
class Index {
 public:
  explicit Index(int state);
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;
  explicit operator bool() const { return slots_ != nullptr; }
  // False where nothing is to be read: no jail, or one whose monitor is dead or not ready.
  bool read(uint32_t jid, IndexSlot* out);

 private:
  bool has_page(uint32_t jid);
  UniqueFd file_;
  const IndexSlot* slots_ = nullptr;
  uint32_t boot_ = 0;
  off_t page_ = -1;  // the last one that was found to be there
};

}  // namespace dfjail
