#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../common/registry.hh"
#include "../common/unique_fd.hh"

// Reads processes out of /proc without any other program. Every byte that a process can put there
// (its name, its arguments) is data only. A process that ends while it is read is left out. See
// proc_pid_stat(5), proc_pid_status(5), proc_pid_cmdline(5) and, for children files,
// proc_tid_children(5).
//
// No state is shared between calls: any thread may call any of these.
namespace dfjail {

struct Process {
  pid_t pid = 0;
  pid_t jail_pid =
      0;  // in the pid namespace just below that of /proc: the jail's, for a process in a jail
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  uint32_t jid = 0;
  uint32_t uid = 0;  // effective, the host's number
  uint32_t gid = 0;
  char state = '?';  // as /proc/PID/stat has it
  uint64_t start_ticks = 0;
  uint64_t cpu_ticks = 0;
  uint64_t virtual_size = 0;  // bytes
  uint64_t rss = 0;           // bytes
  uint32_t threads = 0;
  uint32_t terminal = 0;  // device number as the kernel packs it, 0: none
  uint32_t flags = 0;     // the kernel's PF_…
  // See find_namespace.
  uint32_t levels = 0;         // pid namespaces that it has a pid in, counted from that of /proc
  uint64_t pid_namespace = 0;  // inode; 0 when not looked up (levels < 2) or not permitted
  char command[64] = "";
  const char* arguments = nullptr;  // NUL-separated, valid during the visit only; see ProcessReader
  size_t arguments_size = 0;        // at most 64 KiB, cut behind
};

using VisitProcess = void (*)(void* context, const Process& process);

// Every pid of the host.
void each_pid(void (*visit)(void* context, pid_t pid), void* context);
// One process after the other, in the same buffer. jid is 0 here: the caller knows the jails by
// their pid namespaces.
//
// Arguments lie in the memory of the process, and a process that forks keeps that to itself
// meanwhile: hundreds that do nothing else would each have us wait until it has had its next turn.
// Once that has taken kPatience, arguments are left out.
class ProcessReader {
 public:
  ProcessReader();
  ProcessReader(const ProcessReader&) = delete;
  ProcessReader& operator=(const ProcessReader&) = delete;
  ~ProcessReader();
  // False when it is gone. The arguments are valid until the next one is read.
  bool read(pid_t pid, Process* out);

 private:
  static constexpr uint64_t kPatience = 100'000'000;  // nanoseconds

  void read_arguments(Process* out);
  void note_wait(uint64_t nanoseconds);
  size_t fill(int fd);
  bool grow();

  uint64_t waited_ = 0;  // nanoseconds
  long sleeps_ = 0;      // of this thread, when they were last looked at
  char* buffer_ = nullptr;
  size_t capacity_ = 0;
};
// Pids as a jail has them. Newer kernels translate them one by one, by the jail's pid namespace;
// else, and where that may not be opened (rootless), the status of the process has to be read.
class JailNumbers {
 public:
  JailNumbers(pid_t anchor, uint64_t pid_namespace);
  // The anchor is there, and it is not another process with its pid.
  bool confirmed() const { return static_cast<bool>(namespace_); }
  enum class Answer { kInside, kOutside, kUnknown };
  Answer ask(pid_t pid, pid_t* inside) const;

 private:
  UniqueFd namespace_;
};
// Looks up its pid namespace, its pid in there, and how deep that is: for those that may be in a
// jail and of which JailNumbers does not know, since this costs as much as all the rest. False when
// it is gone.
bool find_namespace(Process* process);
// The processes of one jail: the anchor's descendants and those of the monitors, verified by pid
// namespace, the anchor itself left out. Only they are visited.
void each_jail_process(int state, const Entry& entry, VisitProcess visit, void* context);
// Does any process but the anchor live in the jail? Stops at the first. Zombies do not live.
bool has_process(int state, const Entry& entry);
// Sends a signal to every process of the jail but the anchor, each held by a pidfd and verified
// again, so that it never reaches a recycled pid. KILL and STOP are repeated until a rescan finds
// nobody new. How many were signalled; with signal 0 how many could be.
int signal_jail(int state, const Entry& entry, int signal);
// Is this pid still the anchor of the jail with that pid namespace, and not a recycled pid?
bool is_anchor(pid_t pid, uint64_t pid_namespace);

}  // namespace dfjail
