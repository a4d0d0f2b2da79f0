#include "killing.hh"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#include "anchor.hh"
#include "capabilities.hh"
#include "child.hh"
#include "mount.hh"
#include "processes.hh"
#include "sysctl.hh"

namespace dfjail {
namespace {

constexpr int kErrandPatience = 1000;  // milliseconds; a jailed process can stop our child
constexpr int kLongestPause = 20;
constexpr int kListingTime = 20;  // that a listing of all processes may take
constexpr int kEagerPasses = 8;   // without a pause
constexpr int kPassesPerErrand = 64;
constexpr int kKillPatience = 5000;
constexpr int kOrphanPatience = 5000;
constexpr pid_t kInit = 1;
constexpr int kRounds = 4;

int64_t now_in_milliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

enum class Left { kNobody, kOthers, kOrphans, kLiving };

// Zombies of init's are reaped as soon as it can; nobody knows when others reap theirs.
Left who_is_left(uint32_t jid) {
  ProcessList list;
  Error ignored;
  if (!list.read(&ignored)) return Left::kOthers;
  Left left = Left::kNobody;
  for (const kinfo_proc& process : list) {
    if (!is_in_jail(process, jid)) continue;
    if (is_alive(process)) return Left::kLiving;
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
    living++;
  }
  return living;
}

struct Ours {
  const FsId* ids;
  size_t count;
  bool has(const FsId& id) const {
    for (size_t i = 0; i < count; i++) {
      if (ids[i] == id) return true;
    }
    return false;
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

// Inside the jail: only what was mounted inside may be unmounted by us there; the kernel says EPERM
// to the rest.
int unmount_as_inmate(void* context, int) {
  const Ours* ours = static_cast<Ours*>(context);
  for (int pass = 0; pass < 4; pass++) {
    MountList mounts;
    bool any = false;
    if (!mounts.read()) return 1;
    for (size_t i = mounts.size(); i > 0; i--) {
      const struct statfs& mount = mounts[i - 1];
      if (mount.f_mntonname[0] != '/' || mount.f_mntonname[1] == '\0') continue;  // the root
      if (ours->has(fsid_of(mount))) continue;
      if (unmount_path(mount.f_mntonname, MNT_FORCE)) any = true;
    }
    if (!any) return 0;
  }
  return 0;
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
  const int64_t deadline = now_in_milliseconds() + milliseconds;
  int pause = 0;
  for (int pass = 0;; pass++) {
    if (signal_each(jid, SIGSTOP) == 0) return true;
    signal_each(jid, SIGKILL);
    if (now_in_milliseconds() >= deadline) return count_living(jid) == 0;
    if (pass < kEagerPasses) continue;
    Answer answer;
    if (pass % kPassesPerErrand == 0)
      run_errand(jid, send_to_all, signals, kErrandPatience, &answer);
    sleep_milliseconds(pause);
    pause = pause * 2 + 1 > kLongestPause ? kLongestPause : pause * 2 + 1;
  }
}

void unmount_inside(uint32_t jid, const FsId* ours, size_t count) {
  Answer answer;
  Ours context = {ours, count};
  allow_unmounting(jid);
  run_errand(jid, unmount_as_inmate, &context, 10'000, &answer);
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
  sleep_milliseconds(kListingTime);
}

void clear_jail(uint32_t jid, const FsId* ours, size_t count, int milliseconds) {
  for (int round = 0; round < kRounds; round++) {
    kill_all(jid, kKillPatience);
    unmount_inside(jid, ours, count);
    wait_until_deserted(jid, milliseconds);
    if (count_living(jid) == 0) return;
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
