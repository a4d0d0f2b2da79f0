#include "cgroup.hh"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

namespace dfjail {
namespace {

constexpr const char* kStep = "limits";
constexpr const char* kMount = "/sys/fs/cgroup";

bool write_text(const char* folder, const char* file, const char* text, Error* error) {
  char path[600];
  snprintf(path, sizeof path, "%s/%s", folder, file);
  const UniqueFd fd(open(path, O_WRONLY | O_CLOEXEC));
  if (!fd) return fail(error, kStep, "open", path);
  const ssize_t size = static_cast<ssize_t>(strlen(text));
  return write(fd.get(), text, static_cast<size_t>(size)) == size ||
         fail(error, kStep, "write", path);
}

bool write_number(const char* folder, const char* file, uint64_t value, Error* error) {
  char text[32];
  snprintf(text, sizeof text, "%llu", static_cast<unsigned long long>(value));
  return write_text(folder, file, text, error);
}

bool make_folder(const char* path, Error* error) {
  return mkdir(path, 0755) == 0 || errno == EEXIST || fail(error, kStep, "mkdir", path);
}

// Known to recover() before it is there. Without an anchor it is no jail to anybody yet.
bool announce(Jail* jail, const char* folder, Error* error) {
  const size_t used = strlen(jail->entry.cgroup);
  snprintf(jail->entry.cgroup + used, sizeof jail->entry.cgroup - used, "%s%s",
           used == 0 ? "" : " ", folder);
  Entry early = jail->entry;
  early.anchor = 0;
  return write_entry(jail->state.get(), early, error);
}

// <base>/dragonfly-jail/<jid>-<monitor>: the monitor's pid tells jails of different state folders
// apart.
bool make_jail_folder(Jail* jail, const char* base, size_t slot, char out[256], Error* error) {
  char common[200];
  snprintf(common, sizeof common, "%s/dragonfly-jail", base);
  snprintf(out, 256, "%s/%u-%d", common, jail->entry.jid, static_cast<int>(getpid()));
  if (!announce(jail, out, error)) return false;
  // The last jail to go takes the common folder away, perhaps just now.
  for (int tries = 0; mkdir(out, 0755) < 0; tries++) {
    if (errno != ENOENT || tries == 10) return fail(error, kStep, "mkdir", out);
    if (!make_folder(common, error)) return false;
  }
  char procs[300];
  snprintf(procs, sizeof procs, "%s/cgroup.procs", out);
  jail->cgroups[slot].reset(open(procs, O_WRONLY | O_CLOEXEC));
  return jail->cgroups[slot] ? true : fail(error, kStep, "open", procs);
}

bool is_unified() {
  struct statfs info;
  return statfs(kMount, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

bool limit_unified(Jail* jail, uint64_t memory, uint64_t processes, Error* error) {
  char folder[256];
  snprintf(folder, sizeof folder, "%s/dragonfly-jail", kMount);
  if (!write_text(kMount, "cgroup.subtree_control", "+memory +pids", error)) return false;
  if (!make_folder(folder, error)) return false;
  if (!write_text(folder, "cgroup.subtree_control", "+memory +pids", error)) return false;
  if (!make_jail_folder(jail, kMount, 0, folder, error)) return false;
  Error ignored;
  if (memory != kUnlimited) {
    if (!write_number(folder, "memory.max", memory, error)) return false;
    write_text(folder, "memory.swap.max", "0",
               &ignored);  // not there on a kernel without swap accounting
  }
  return processes == kUnlimited || write_number(folder, "pids.max", processes, error);
}

bool limit_memory_v1(Jail* jail, uint64_t memory, Error* error) {
  char folder[256];
  if (!make_jail_folder(jail, "/sys/fs/cgroup/memory", 0, folder, error)) return false;
  if (!write_number(folder, "memory.limit_in_bytes", memory, error)) return false;
  Error ignored;
  write_number(folder, "memory.memsw.limit_in_bytes", memory, &ignored);
  return true;
}

bool limit_processes_v1(Jail* jail, uint64_t processes, Error* error) {
  char folder[256];
  return make_jail_folder(jail, "/sys/fs/cgroup/pids", 1, folder, error) &&
         write_number(folder, "pids.max", processes, error);
}

bool set_limits(Jail* jail, uint64_t memory, uint64_t processes, Error* error) {
  if (is_unified()) return limit_unified(jail, memory, processes, error);
  if (memory != kUnlimited && !limit_memory_v1(jail, memory, error)) return false;
  return processes == kUnlimited || limit_processes_v1(jail, processes, error);
}

}  // namespace

bool limit_jail(Jail* jail, uint64_t memory, uint64_t processes, Error* error) {
  if (memory == kUnlimited && processes == kUnlimited) return true;
  if (set_limits(jail, memory, processes, error)) return true;
  const int number = error->number;
  if (number != ENOENT && number != EACCES && number != EROFS && number != EPERM) return false;
  char what[256];
  snprintf(what, sizeof what, "%s", error->path);
  return fail_with_code(error, kStep, "ERR_JAIL_UNSUPPORTED", what,
                        "limits.memory and limits.processes need a cgroup that can be written "
                        "here; leave them out, or "
                        "run as root on a host with the memory and pids controllers.");
}

}  // namespace dfjail
