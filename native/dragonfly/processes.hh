#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sys/user.h>

#include "../common/error.hh"

// kern.proc. The records are the system's own; abi.hh says how they are laid out.
namespace dfjail {

// All processes that the caller may see, zombies included; in a jail: the jail's.
class ProcessList {
 public:
  ProcessList() = default;
  ~ProcessList();
  ProcessList(const ProcessList&) = delete;
  ProcessList& operator=(const ProcessList&) = delete;

  // ERR_JAIL_PROTOCOL when what came is no multiple of a record: the kernel is of another release
  // than this binary. With `threads` one record per thread, with `pid` only that process.
  bool read(bool threads, pid_t pid, Error* error);
  bool read(Error* error) { return read(false, 0, error); }
  const kinfo_proc* begin() const { return at_; }
  const kinfo_proc* end() const { return at_ + count_; }
  size_t size() const { return count_; }

 private:
  kinfo_proc* at_ = nullptr;
  size_t count_ = 0;
};

// A process of a jail; kernel threads have no pid.
inline bool is_in_jail(const kinfo_proc& process, uint32_t jid) {
  return process.kp_pid > 0 && process.kp_jailid == static_cast<int>(jid);
}
inline bool is_alive(const kinfo_proc& process) { return process.kp_stat != SZOMB; }

// How many processes of the jail there are, zombies left out. -1: that could not be read.
int count_living(uint32_t jid);

}  // namespace dfjail
