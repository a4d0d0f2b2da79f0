#include "killing.hh"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "anchor.hh"
#include "capabilities.hh"
#include "child.hh"
#include "mount.hh"
#include "mount_walk.hh"
#include "mounts_before.hh"
#include "processes.hh"
#include "sysctl.hh"
#include "terminal.hh"

namespace dfjail {
namespace {

constexpr int kErrandPatience = 1000;  // milliseconds; a jailed process can stop our child
constexpr int kLongestPause = 20;
constexpr int kListingTime = 20;  // that a listing of all processes may take
constexpr int kEagerPasses = 8;   // without a pause
constexpr int kPassesPerErrand = 64;
constexpr int kKillPatience = 5000;
constexpr int kOrphanPatience = 5000;
constexpr int kUnmountPatience = 10'000;
// For whoever reads a terminal: until then nothing is lost.
constexpr int kReadersPatience = 250;
constexpr pid_t kInit = 1;
constexpr dev_t kNoDevice = static_cast<dev_t>(-1);
constexpr int kRounds = 4;

enum class Left { kNobody, kOthers, kOrphans, kLiving };

// Zombies of init's are reaped as soon as it can; nobody knows when others reap theirs. Ours are
// what an inmate traced when it ended (see native/monitor/strays.hh): nobody else waits for them.
Left who_is_left(uint32_t jid) {
  ProcessList list;
  Error ignored;
  if (!list.read(&ignored)) return Left::kOthers;
  Left left = Left::kNobody;
  for (const kinfo_proc& process : list) {
    if (!is_in_jail(process, jid)) continue;
    note_inside();
    if (is_alive(process)) return Left::kLiving;
    if (waitpid(process.kp_pid, nullptr, WNOHANG) == process.kp_pid) continue;
    if (left != Left::kOrphans) left = process.kp_ppid == kInit ? Left::kOrphans : Left::kOthers;
  }
  return left;
}

int send_to_all(void* context, int) {
  const int* signals = static_cast<int*>(context);
  int status = 0;
  for (; *signals != 0; signals++) {
    if (kill(-1, *signals) < 0 && errno != ESRCH) status = 1;  // ESRCH: nobody else is in
  }
  return status;
}

// From the host, one by one. The list was read this moment, so that none is somebody else yet. How
// many there were; -1 when that could not be told.
int signal_each(uint32_t jid, int signal) {
  ProcessList list;
  Error ignored;
  if (!list.read(&ignored)) return -1;
  int living = 0;
  for (const kinfo_proc& process : list) {
    if (!is_in_jail(process, jid) || !is_alive(process)) continue;
    kill(process.kp_pid, signal);
    note_inside();
    living++;
  }
  return living;
}

// Mounts that an inmate's path does not lead to, in memory that a child of the monitor has too. It
// has been in the jail, so how many there are is checked.
struct Unreached {
  static constexpr size_t kMost = 256;
  const Outside* outside;
  FsId ids[kMost];
  size_t count;

  bool is_ours(const FsId& id) const {
    for (size_t i = 0; i < outside->mount_count; i++) {
      if (outside->mounts[i] == id) return true;
    }
    return false;
  }
  void add(const FsId& id) {
    if (count < kMost) ids[count++] = id;
  }
};

// What may mount may unmount, and the capability may have been taken away since. Nobody is left to
// use it.
void allow_unmounting(uint32_t jid) {
  if (jid > kMaxNodeJid) return;
  const char* const nodes[] = {"vfs_mount_nullfs", "vfs_mount_tmpfs", "vfs_mount_devfs",
                               "vfs_mount_procfs", "vfs_mount_fusefs"};
  for (const char* node : nodes) {
    char name[64];
    snprintf(name, sizeof name, "jail.%u.%s", jid, node);
    sysctl_set_int(name, 1);
  }
}

enum class Unmounted { kYes, kRefused, kOutOfReach };

// A path that is cut leads nowhere, or somewhere else.
Unmounted unmount_by_path(const char* path) {
  const size_t length = strnlen(path, MNAMELEN);
  const bool is_whole = length > 1 && length < MNAMELEN - 1 && path[0] == '/';
  if (!is_whole) return Unmounted::kOutOfReach;
  if (unmount_path(path, MNT_FORCE)) return Unmounted::kYes;
  return errno == EPERM ? Unmounted::kRefused : Unmounted::kOutOfReach;
}

// Inside the jail: only what was mounted inside may be unmounted by us there; the kernel says EPERM
// to the rest. What cannot be reached by its path is noted.
int unmount_as_inmate(void* context, int) {
  constexpr int kPasses = 4;
  Unreached* unreached = static_cast<Unreached*>(context);
  struct statfs root;
  if (::statfs("/", &root) < 0) return 1;
  for (int pass = 0; pass < kPasses; pass++) {
    MountList mounts;
    bool any = false;
    unreached->count = 0;
    if (!mounts.read()) return 1;
    for (size_t i = mounts.size(); i > 0; i--) {
      const FsId id = fsid_of(mounts[i - 1]);
      if (id == fsid_of(root) || unreached->is_ours(id)) continue;
      const Unmounted unmounted = unmount_by_path(mounts[i - 1].f_mntonname);
      if (unmounted == Unmounted::kYes) any = true;
      if (unmounted == Unmounted::kOutOfReach) unreached->add(id);
    }
    if (!any) return 0;
  }
  return 0;
}

// Deep below, or over the root itself, which is seen from outside only.
bool unmount_out_of_reach(uint32_t jid, const char* root, const FsId& id) {
  UniqueFd directory = open_mount(jid, root, id);
  if (!directory) directory = open_mount(0, root, id);
  return unmount_open(directory, jid, MNT_FORCE);
}

// True when something was unmounted and something may be left.
bool unmount_round(uint32_t jid, Unreached* unreached) {
  Answer answer;
  run_errand(jid, unmount_as_inmate, unreached, kUnmountPatience, &answer);
  const size_t count = unreached->count < Unreached::kMost ? unreached->count : Unreached::kMost;
  bool any = false;
  for (size_t i = 0; i < count; i++) {
    if (unmount_out_of_reach(jid, unreached->outside->root, unreached->ids[i])) any = true;
  }
  return any;
}

// Its exit may wait until somebody reads what it has to show.
bool is_stuck_at_its_terminal(const kinfo_proc& process) {
  return (process.kp_flags & P_WEXIT) != 0 && process.kp_tdev != kNoDevice;
}

void drop_what_nobody_reads(uint32_t jid) {
  ProcessList list;
  Error ignored;
  if (!list.read(&ignored)) return;
  for (const kinfo_proc& process : list) {
    if (is_in_jail(process, jid) && is_alive(process) && is_stuck_at_its_terminal(process))
      drop_output(process.kp_tdev);
  }
}

}  // namespace

bool has_any(uint32_t jid) { return who_is_left(jid) != Left::kNobody; }

void signal_all(uint32_t jid, int signal) { signal_each(jid, signal); }

// STOP first, so that what is seen cannot fork any more. One pass of the kernel, kill(-1) from
// inside, would be surer but is kept for jails that fork faster than they can be listed: on 5.9
// with more than one CPU it panics when it meets a process that is just being forked, anywhere on
// the host (tried: docs/dragonfly.md).
bool kill_all(uint32_t jid, int milliseconds) {
  int signals[3] = {SIGSTOP, SIGKILL, 0};
  const int64_t start = now_in_milliseconds();
  const int64_t deadline = start + milliseconds;
  int pause = 0;
  for (int pass = 0;; pass++) {
    if (signal_each(jid, SIGSTOP) == 0) return true;
    signal_each(jid, SIGKILL);
    if (now_in_milliseconds() >= deadline) return count_living(jid) == 0;
    if (pass < kEagerPasses) continue;
    if (now_in_milliseconds() - start >= kReadersPatience) drop_what_nobody_reads(jid);
    Answer answer;
    if (pass % kPassesPerErrand == 0)
      run_errand(jid, send_to_all, signals, kErrandPatience, &answer);
    sleep_milliseconds(pause);
    pause = pause * 2 + 1 > kLongestPause ? kLongestPause : pause * 2 + 1;
  }
}

void unmount_inside(uint32_t jid, const Outside& outside) {
  constexpr int kMostRounds = 8;
  if (!has_new_mount(outside.mounts, outside.mount_count)) return;
  constexpr size_t kSize = sizeof(Unreached);
  void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
  if (memory == MAP_FAILED) return;
  Unreached* unreached = static_cast<Unreached*>(memory);
  unreached->outside = &outside;
  allow_unmounting(jid);
  for (int round = 0; round < kMostRounds && unmount_round(jid, unreached); round++) {
  }
  munmap(memory, kSize);
}

void wait_until_deserted(uint32_t jid, int milliseconds) {
  const int64_t start = now_in_milliseconds();
  for (int pause = 0;;) {
    const Left left = who_is_left(jid);
    const int patience =
        left == Left::kOrphans && milliseconds < kOrphanPatience ? kOrphanPatience : milliseconds;
    if (left == Left::kNobody || left == Left::kLiving) break;
    if (now_in_milliseconds() - start >= patience) break;
    sleep_milliseconds(pause);
    pause = pause * 2 + 1 > kLongestPause ? kLongestPause : pause * 2 + 1;
  }
  const int64_t left = last_inside() + kListingTime - now_in_milliseconds();
  if (left > 0) sleep_milliseconds(static_cast<int>(left));
}

void clear_jail(uint32_t jid, const Outside& outside, int milliseconds) {
  for (int round = 0; round < kRounds; round++) {
    const bool all_dead = kill_all(jid, kKillPatience);
    unmount_inside(jid, outside);
    wait_until_deserted(jid, milliseconds);
    if (!all_dead || count_living(jid) == 0) return;
  }
}

bool wait_until_gone(uint32_t jid, int milliseconds) {
  const int64_t deadline = now_in_milliseconds() + milliseconds;
  for (int pause = 0;; pause = pause * 2 + 1 > kLongestPause ? kLongestPause : pause * 2 + 1) {
    if (!jail_exists(jid)) return true;
    if (now_in_milliseconds() >= deadline) return false;
    sleep_milliseconds(pause);
  }
}

void describe_holders(uint32_t jid, char* text, size_t size) {
  const UniqueFd hold = hold_jail(jid);
  ProcessList list;
  Error ignored;
  if (list.read(&ignored)) {
    for (const kinfo_proc& process : list) {
      if (!is_in_jail(process, jid)) continue;
      snprintf(text, size, "The jail is still held by %s %d (%s), a child of process %d.",
               is_alive(process) ? "process" : "the zombie", process.kp_pid, process.kp_comm,
               process.kp_ppid);
      return;
    }
  }
  snprintf(text, size,
           "The jail has no process left but is still held: by a socket or a file that was opened "
           "inside and is open in another process, or by a mount made inside.");
}

}  // namespace dfjail
