#include "linux_index.hh"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include <vector>

#include "../linux/index.hh"
#include "../linux/processes.hh"
#include "registry.hh"

namespace dfjail {
namespace {

// How often a hostname has been set, on the whole machine: the kernel tells those who poll its file
// of any, in whatever namespace (uts_proc_notify in its kernel/sys.c). Without that file it may
// have been at any time.
uint32_t count_renames() {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;  // workers ask too
  static int fd = -1;
  static uint32_t count = 0;
  pthread_mutex_lock(&mutex);
  if (fd < 0) fd = open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC);
  pollfd changed = {fd, POLLPRI, 0};
  if (fd < 0 || poll(&changed, 1, 0) != 0) count++;
  const uint32_t result = count;
  pthread_mutex_unlock(&mutex);
  return result;
}

Activity look(const Registry& registry, uint32_t jid, const IndexSlot& slot) {
  const bool told =
      slot.activity != Activity::kLook && !(slot.activity == Activity::kEmpty && slot.visited != 0);
  if (told) return slot.activity;
  Entry entry;
  entry.jid = jid;
  entry.monitor = static_cast<pid_t>(slot.owner);
  entry.anchor = slot.anchor;
  entry.pid_namespace = slot.pid_namespace;
  return has_process(registry.state.get(), entry) ? Activity::kRunning : Activity::kEmpty;
}

struct Scan {
  const Registry& registry;
  Index& index;
  std::vector<uint32_t> numbers;

  void add(uint32_t jid, uint32_t generation, Activity activity) {
    numbers.insert(numbers.end(), {jid, generation, static_cast<uint32_t>(activity)});
  }
};

bool scan_one(void* context, uint32_t jid) {
  auto* scan = static_cast<Scan*>(context);
  IndexSlot slot;
  if (jid > kMaxJid) return true;
  if (scan->index.read(jid, &slot)) {
    scan->add(jid, slot.generation, look(scan->registry, jid, slot));
  } else if (is_alive(scan->registry.locks.get(), jid, nullptr)) {
    scan->add(jid, 0, Activity::kLook);
  }
  return true;
}

// The renames come first: a hostname that is asked after this is at least as new.
Napi::Value scan_jails(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Registry registry;
  if (!get_registry(info, 0, &registry)) return env.Undefined();
  const uint32_t renames = count_renames();
  Index index(registry.state.get());
  if (!index) return env.Null();
  Scan scan = {registry, index, {renames}};
  each_jid(registry.state.get(), scan_one, &scan);
  Napi::Uint32Array numbers = Napi::Uint32Array::New(env, scan.numbers.size());
  memcpy(numbers.Data(), scan.numbers.data(), scan.numbers.size() * sizeof(uint32_t));
  return numbers;
}

}  // namespace

void define_index(Napi::Env env, Napi::Object exports) {
  exports.Set("scanJails", Napi::Function::New(env, scan_jails, "scanJails"));
}

}  // namespace dfjail
