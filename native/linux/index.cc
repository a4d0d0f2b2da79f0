#include "index.hh"

#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../common/unique_fd.hh"

namespace dfjail {
namespace {

// A hole as long as the jids that it stands for have not been used.
constexpr size_t kSize = (kMaxJid + 1) * sizeof(IndexSlot);
static_assert(sizeof(IndexSlot) == 32, "the layout is that of every version");

IndexSlot* own_slot = nullptr;

// The kernel looks at it when we end: at the slot alone, as if we were about to take or to leave
// it.
robust_list_head robust_list_of_us = {{&robust_list_of_us.list}, 0, nullptr};

// The first 32 bits of this boot's name, or a fixed number where it cannot be read.
uint32_t boot_mark() {
  const UniqueFd fd(open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[9] = "";
  uint32_t mark = 0;
  if (!fd || read(fd.get(), text, 8) != 8) return 1;
  for (int i = 0; i < 8; i++) {
    const char c = text[i];
    mark = mark << 4 | static_cast<uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return mark == 0 ? 1 : mark;
}

// Differs from that of any jail that had the jid before.
uint32_t new_generation() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const auto microseconds =
      static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
  return static_cast<uint32_t>(microseconds) | 1U;
}

UniqueFd open_index(int state, int flags) {
  return UniqueFd(openat(state, "index", flags | O_CLOEXEC | O_NOFOLLOW, 0600));
}

bool has_whole_size(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && info.st_size >= static_cast<off_t>(kSize);
}

// The page of one slot. A child that shares nothing with us does not get it.
IndexSlot* map_slot(int state, uint32_t jid) {
  const UniqueFd fd = open_index(state, O_RDWR | O_CREAT);
  if (!fd || (!has_whole_size(fd.get()) && ftruncate(fd.get(), kSize) < 0)) return nullptr;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t at = jid * sizeof(IndexSlot);
  const size_t start = at / page * page;
  // Room for it now: a page that a full disk has no room for is a SIGBUS when it is touched.
  if (fallocate(fd.get(), 0, static_cast<off_t>(start), static_cast<off_t>(page)) < 0)
    return nullptr;
  void* memory =
      mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), static_cast<off_t>(start));
  if (memory == MAP_FAILED) return nullptr;
  madvise(memory, page, MADV_DONTFORK);
  return reinterpret_cast<IndexSlot*>(static_cast<char*>(memory) + (at - start));
}

template <typename T>
void store(T* where, T value) {
  __atomic_store(where, &value, __ATOMIC_RELEASE);
}

template <typename T>
T load(const T* where) {
  T value;
  __atomic_load(where, &value, __ATOMIC_ACQUIRE);
  return value;
}

bool hold_by_kernel(IndexSlot* slot) {
  robust_list_of_us.list_op_pending = reinterpret_cast<robust_list*>(&slot->owner);
  return syscall(SYS_set_robust_list, &robust_list_of_us, sizeof robust_list_of_us) == 0;
}

}  // namespace

void publish_jail(int state, const Entry& entry) {
  IndexSlot* slot = map_slot(state, entry.jid);
  if (slot == nullptr) return;
  store(&slot->generation, 0U);
  store(&slot->owner, static_cast<uint32_t>(entry.monitor));
  if (!hold_by_kernel(slot)) return;
  slot->boot = boot_mark();
  slot->visited = 0;
  slot->anchor = entry.anchor;
  slot->pid_namespace = entry.pid_namespace;
  store(&slot->activity, Activity::kEmpty);
  store(&slot->generation, new_generation());
  own_slot = slot;
}

void publish_activity(Activity activity) {
  if (own_slot != nullptr) store(&own_slot->activity, activity);
}

void withdraw_jail() {
  if (own_slot != nullptr) store(&own_slot->generation, 0U);
}

void visit_jail(int state, uint32_t jid) {
  IndexSlot* slot = map_slot(state, jid);
  if (slot != nullptr) store(&slot->visited, 1U);
}

Index::Index(int state) : file_(open_index(state, O_RDONLY)), boot_(boot_mark()) {
  if (!file_ || !has_whole_size(file_.get())) return;
  void* memory = mmap(nullptr, kSize, PROT_READ, MAP_SHARED, file_.get(), 0);
  if (memory != MAP_FAILED) slots_ = static_cast<const IndexSlot*>(memory);
}

Index::~Index() {
  if (slots_ != nullptr) munmap(const_cast<IndexSlot*>(slots_), kSize);
}

// A hole in a file on tmpfs would be filled by looking at it, and where that is full the look is a
// SIGBUS. One call for 128 jails.
bool Index::has_page(uint32_t jid) {
  const off_t size = sysconf(_SC_PAGESIZE);
  const off_t start = static_cast<off_t>(jid * sizeof(IndexSlot)) / size * size;
  if (start == page_) return true;
  if (lseek(file_.get(), start, SEEK_DATA) != start) return false;
  page_ = start;
  return true;
}

bool Index::read(uint32_t jid, IndexSlot* out) {
  if (!has_page(jid)) return false;
  const IndexSlot* slot = &slots_[jid];
  const uint32_t generation = load(&slot->generation);
  out->activity = load(&slot->activity);
  out->visited = load(&slot->visited);
  out->boot = slot->boot;
  out->anchor = slot->anchor;
  out->pid_namespace = slot->pid_namespace;
  out->owner = load(&slot->owner);
  out->generation = load(&slot->generation);
  const bool alive = out->owner != 0 && (out->owner & FUTEX_OWNER_DIED) == 0;
  return alive && generation != 0 && generation == out->generation && out->boot == boot_;
}

}  // namespace dfjail
