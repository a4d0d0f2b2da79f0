#include "login_context.hh"

#include <sys/resource.h>
#include <sys/rtprio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rlimits.hh"

namespace dfjail {
namespace {

// In the order of ClassResource.
constexpr int kResources[kClassResources] = {
    RLIMIT_CPU,   RLIMIT_FSIZE,  RLIMIT_DATA, RLIMIT_STACK,  RLIMIT_RSS,  RLIMIT_MEMLOCK,
    RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_SBSIZE, RLIMIT_VMEM, RLIMIT_POSIXLOCKS,
};

bool is_limited(const Jail& jail, int resource) {
  for (size_t i = 0; i < jail.limit_count; i++) {
    const uint32_t number = jail.limits[i].resource;
    if (number < kRlimitCount && kRlimits[number] == resource) return true;
  }
  return false;
}

// Those that the class does not say are set as well: the kernel has its own idea of the most.
void set_class_limit(const Jail& jail, int resource, const ClassLimit& wanted) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) < 0) return;
  const rlim_t most = is_limited(jail, resource) ? limit.rlim_max : RLIM_INFINITY;
  const auto lower = [most](uint64_t value) {
    return system_limit(value) < most ? system_limit(value) : most;
  };
  if (wanted.has_soft) limit.rlim_cur = lower(wanted.soft);
  if (wanted.has_hard) limit.rlim_max = lower(wanted.hard);
  setrlimit(resource, &limit);
}

// A jail may only give way; real-time priorities are the host's.
void set_priority(int priority) {
  if (priority <= PRIO_MAX) {
    setpriority(PRIO_PROCESS, 0, priority);
    return;
  }
  struct rtprio idle = {RTP_PRIO_IDLE, static_cast<u_short>(priority - PRIO_MAX - 1)};
  rtprio(RTP_SET, 0, &idle);
}

}  // namespace

void set_class_context(const Jail& jail, const ClassContext& context) {
  umask(static_cast<mode_t>(context.umask));
  if (!context.given) return;
  for (size_t i = 0; i < kClassResources; i++)
    set_class_limit(jail, kResources[i], context.limits[i]);
  if (context.has_priority) set_priority(context.priority);
}

void set_login_name(const Identity& who) {
  const char* name = who.name[0] == '\0' && who.uid == 0 ? "root" : who.name;
  if (setlogin(name) < 0) setlogin("");  // one of 33 bytes is no reason to fail
}

}  // namespace dfjail
