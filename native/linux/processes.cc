#include "processes.hh"

#include <dirent.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../common/steps.hh"
#include "proc_parse.hh"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef NS_GET_TGID_IN_PIDNS
#define NS_GET_TGID_IN_PIDNS _IOR(0xb7, 0x9, int)  // ioctl_nsfs(2), new in Linux 6.11
#endif

namespace dfjail {
namespace {

constexpr size_t kSmallRead = 4096;
constexpr size_t kPortion = 4096;
constexpr size_t kMaxArguments = size_t{64} * 1024;
constexpr size_t kMaxGuests = 256;
constexpr uint32_t kKernelThread = 0x00200000;  // PF_KTHREAD: has no arguments
// The kernel fills a page of a children file before it stops early, so that a read this short has
// reached the end.
constexpr size_t kSurelyLast = 1024;
// A process that is orphaned while we walk moves up to the anchor: look there again, but not for
// ever.
constexpr int kMaxRescans = 4;
constexpr int kMaxSignalRounds = 64;

// ---- paths and files

// "/proc/PID/", and what is appended to it.
class ProcPath {
 public:
  explicit ProcPath(pid_t pid) {
    memcpy(text_, "/proc/", 6);
    used_ = 6;
    number(pid);
  }
  const char* folder() {
    text_[used_] = '\0';
    return text_;
  }
  const char* file(const char* name) {
    const size_t size = strlen(name);
    memcpy(text_ + used_, "/", 1);
    memcpy(text_ + used_ + 1, name, size + 1);
    return text_;
  }
  const char* children(pid_t thread) {
    const size_t base = used_;
    append("/task/");
    number(thread);
    append("/children");
    text_[used_] = '\0';
    used_ = base;
    return text_;
  }

 private:
  void append(const char* part) {
    const size_t size = strlen(part);
    memcpy(text_ + used_, part, size);
    used_ += size;
  }
  void number(pid_t value) {
    char digits[12];
    size_t n = 0;
    for (unsigned rest = static_cast<unsigned>(value); rest != 0 || n == 0; rest /= 10) {
      digits[n++] = static_cast<char>('0' + rest % 10);
    }
    while (n > 0) text_[used_++] = digits[--n];
  }
  char text_[96];
  size_t used_;
};

UniqueFd open_file(const char* path) { return UniqueFd(open(path, O_RDONLY | O_CLOEXEC)); }

ssize_t read_some(int fd, char* buffer, size_t size) {
  ssize_t n;
  do {
    n = read(fd, buffer, size);
  } while (n < 0 && errno == EINTR);
  return n;
}

bool read_stat(pid_t pid, Process* out) {
  char text[kSmallRead];
  const UniqueFd fd = open_file(ProcPath(pid).file("stat"));
  if (!fd) return false;
  const ssize_t n = read_some(fd.get(), text, sizeof text);
  if (n <= 0 || !parse_stat(text, static_cast<size_t>(n), out)) return false;
  out->pid = pid;
  out->jail_pid = pid;
  out->rss *= static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return true;
}

bool read_status(pid_t pid, Process* out) {
  char text[kSmallRead];
  const UniqueFd fd = open_file(ProcPath(pid).file("status"));
  if (!fd) return false;
  StatusParser parser(out);
  while (!parser.finished()) {
    const ssize_t n = read_some(fd.get(), text, sizeof text);
    if (n < 0) return false;
    if (n == 0) break;  // a kernel without pid namespaces has no NSpid line
    parser.feed(text, static_cast<size_t>(n));
  }
  return true;
}

// The owner of its folder is its effective user, whatever else its files say: task_dump_owner in
// the kernel's fs/proc/base.c makes that exception. Asking costs a tenth of reading the status.
bool read_owner(pid_t pid, Process* out) {
  struct stat info;
  if (stat(ProcPath(pid).folder(), &info) < 0) return false;
  out->uid = info.st_uid;
  out->gid = info.st_gid;
  return true;
}

pid_t pid_of_name(const char* name) {
  const char* end = name + strlen(name);
  int64_t value = 0;
  if (*name < '1' || *name > '9' || !parse_number(&name, end, &value) || name != end) return 0;
  return static_cast<pid_t>(value);
}

// Calls visit for every number in a folder of /proc, in portions: readdir(3) has all of a usual
// host listed before it gives the first, and who visits may begin meanwhile.
template <typename Visit>
void each_number_in(const char* path, Visit visit) {
  alignas(dirent64) char portion[kPortion];
  const UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  if (!fd) return;
  for (;;) {
    const long size = syscall(SYS_getdents64, fd.get(), portion, sizeof portion);
    if (size <= 0) return;
    for (long at = 0; at < size;) {
      const auto* item = reinterpret_cast<const dirent64*>(portion + at);
      const pid_t pid = pid_of_name(item->d_name);
      if (pid != 0) visit(pid);
      at += item->d_reclen;
    }
  }
}

// ---- pid namespaces

// The inode of a process's pid namespace; 0 and errno when it cannot be read.
uint64_t pid_namespace_of(pid_t pid) {
  struct stat info;
  return stat(ProcPath(pid).file("ns/pid"), &info) == 0 ? info.st_ino : 0;
}

// After pid_namespace_of() has failed. A process that is not dumpable does not show its namespace
// to an ordinary user, but everybody may see that it has a pid in more than one.
bool is_unreadable_but_below(pid_t pid) {
  if (errno != EACCES && errno != EPERM) return false;
  Process process;
  return read_status(pid, &process) && process.levels >= 2;
}

// ---- sets

// Numbers in the order in which they were added, each once. Without memory nothing more is added.
class NumberSet {
 public:
  NumberSet() = default;
  NumberSet(const NumberSet&) = delete;
  NumberSet& operator=(const NumberSet&) = delete;
  ~NumberSet() {
    free(items_);
    free(slots_);
  }

  size_t size() const { return size_; }
  uint64_t operator[](size_t i) const { return items_[i]; }
  bool has(uint64_t item) const { return capacity_ != 0 && slots_[slot_of(item)] != 0; }
  // False when it was there already.
  bool add(uint64_t item) {
    if (has(item) || (size_ == capacity_ && !grow())) return false;
    items_[size_++] = item;
    slots_[slot_of(item)] = static_cast<uint32_t>(size_);
    return true;
  }

 private:
  size_t slot_count() const { return capacity_ * 2; }  // a power of two, never more than half full
  size_t slot_of(uint64_t item) const {
    const size_t mask = slot_count() - 1;
    size_t slot = static_cast<size_t>((item * 0x9E3779B97F4A7C15ULL) >> 32) & mask;
    while (slots_[slot] != 0 && items_[slots_[slot] - 1] != item) slot = (slot + 1) & mask;
    return slot;
  }
  bool grow() {
    const size_t wanted = capacity_ == 0 ? 64 : capacity_ * 2;
    auto* items = static_cast<uint64_t*>(realloc(items_, wanted * sizeof *items_));
    if (items == nullptr) return false;
    items_ = items;
    auto* slots = static_cast<uint32_t*>(calloc(wanted * 2, sizeof *slots_));
    if (slots == nullptr) return false;
    free(slots_);
    slots_ = slots;
    capacity_ = wanted;
    for (size_t i = 0; i < size_; i++) slots_[slot_of(items_[i])] = static_cast<uint32_t>(i + 1);
    return true;
  }

  uint64_t* items_ = nullptr;
  uint32_t* slots_ = nullptr;  // index + 1 into items_, 0: free
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// ---- children

// Calls visit for every child that one thread has.
template <typename Visit>
void each_child_of_thread(pid_t pid, pid_t thread, Visit visit) {
  char text[kSmallRead];
  const UniqueFd fd = open_file(ProcPath(pid).children(thread));
  if (!fd) return;
  pid_t child = 0;  // a read may end within a number
  for (;;) {
    const ssize_t n = read_some(fd.get(), text, sizeof text);
    for (ssize_t i = 0; i < n; i++) {
      if (text[i] >= '0' && text[i] <= '9') {
        child = child * 10 + (text[i] - '0');
      } else if (child != 0) {
        visit(child);
        child = 0;
      }
    }
    if (n < static_cast<ssize_t>(kSurelyLast)) return;
  }
}

// A child belongs to the thread that forked it.
template <typename Visit>
void each_child(pid_t pid, uint32_t threads, Visit visit) {
  if (threads <= 1) return each_child_of_thread(pid, pid, visit);
  each_number_in(ProcPath(pid).file("task"),
                 [&](pid_t thread) { each_child_of_thread(pid, thread, visit); });
}

// CONFIG_PROC_CHILDREN, asked once.
bool has_children_files() {
  static int known = 0;  // 1: no, 2: yes; threads that ask at the same time get the same answer
  int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (answer == 0) {
    answer = access("/proc/thread-self/children", F_OK) == 0 ? 2 : 1;
    __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
  }
  return answer == 2;
}

// ---- a walk over one jail

// False when it is gone.
bool fill_number(const JailNumbers& numbers, Process* process) {
  const JailNumbers::Answer answer = numbers.ask(process->pid, &process->jail_pid);
  if (answer != JailNumbers::Answer::kUnknown) return answer == JailNumbers::Answer::kInside;
  return read_status(process->pid, process);
}

// How often this thread has slept; not how often another one had its turn instead.
long sleeps() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

// As /proc/PID/stat counts.
uint64_t ticks_since_boot() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const auto rate = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  return static_cast<uint64_t>(now.tv_sec) * rate +
         static_cast<uint64_t>(now.tv_nsec) * rate / 1'000'000'000;
}

// Gives out the pids of a jail's processes, each once. Breadth first, by a list: a deep tree must
// not cost stack.
class Walk {
 public:
  Walk(int state, const Entry& entry)
      : entry_(entry), began_(ticks_since_boot()), numbers_(entry.anchor, entry.pid_namespace) {
    if (!numbers_.confirmed() && !is_anchor(entry.anchor, entry.pid_namespace)) {
      rescans_ = kMaxRescans;
      return;
    }
    guest_count_ = guest_monitors(state, entry.jid, guests_, kMaxGuests);
    has_children_files() ? look_at_roots() : look_everywhere();
  }

  // 0 when there are no more. Follow it with look_below() to go down.
  pid_t next() {
    if (next_ == found_.size()) look_for_orphans();
    return next_ < found_.size() ? static_cast<pid_t>(found_[next_++]) : 0;
  }

  const JailNumbers& numbers() const { return numbers_; }

  // What is below a process of the jail is in the jail, or in a pid namespace below it. Not below
  // those that were born since we began: processes which fork faster than we read would keep us for
  // ever.
  void look_below(const Process& process) {
    if (!has_children_files() || process.start_ticks > began_) return;
    each_child(process.pid, process.threads, [this](pid_t pid) { add(pid); });
  }

 private:
  void add(pid_t pid) { found_.add(static_cast<uint64_t>(pid)); }
  bool has(pid_t pid) const { return found_.has(static_cast<uint64_t>(pid)); }

  // The anchor and the monitors are ours and have one thread each. The anchor comes last: what is
  // orphaned below a monitor in the meantime has moved there.
  void look_at_roots() {
    look_below_monitor(entry_.monitor);
    for (size_t i = 0; i < guest_count_; i++) look_below_monitor(guests_[i]);
    look_below_anchor();
  }
  void look_below_anchor() {
    each_child_of_thread(entry_.anchor, entry_.anchor, [this](pid_t pid) { add(pid); });
  }
  void look_below_monitor(pid_t monitor) {
    each_child_of_thread(monitor, monitor, [this](pid_t pid) {
      if (pid != entry_.anchor && !has(pid) && is_monitors_child_inside(pid)) add(pid);
    });
  }
  // Where a process is not dumpable, its namespace does not show (rootless): one below ours is the
  // jail's then, for the children of its monitors are in no other.
  bool is_monitors_child_inside(pid_t pid) const {
    pid_t inside = 0;
    const JailNumbers::Answer answer = numbers_.ask(pid, &inside);
    if (answer != JailNumbers::Answer::kUnknown) return answer == JailNumbers::Answer::kInside;
    const uint64_t found = pid_namespace_of(pid);
    return found == 0 ? is_unreadable_but_below(pid) : found == entry_.pid_namespace;
  }

  void look_for_orphans() {
    if (found_.size() == 0 || rescans_ == kMaxRescans || !has_children_files()) return;
    const size_t before = found_.size();
    look_below_anchor();
    rescans_ = found_.size() == before ? kMaxRescans : rescans_ + 1;
  }

  // Without children files. Ascending pids, so that parents mostly come before their children.
  void look_everywhere() {
    each_number_in("/proc", [this](pid_t pid) {
      if (pid == entry_.anchor) return;
      const uint64_t found = pid_namespace_of(pid);
      if (found == 0 ? is_unreadable_but_below(pid) && has_parent_here(pid)
                     : found == entry_.pid_namespace)
        add(pid);
    });
  }
  bool has_parent_here(pid_t pid) const {
    Process process;
    if (!read_stat(pid, &process)) return false;
    if (process.parent == entry_.anchor || process.parent == entry_.monitor || has(process.parent))
      return true;
    for (size_t i = 0; i < guest_count_; i++) {
      if (process.parent == guests_[i]) return true;
    }
    return false;
  }

  const Entry& entry_;
  const uint64_t began_;
  const JailNumbers numbers_;
  pid_t guests_[kMaxGuests];
  size_t guest_count_ = 0;
  NumberSet found_;
  size_t next_ = 0;
  int rescans_ = 0;
};

// A zombie leader whose other threads still run is alive.
bool is_dead(const Process& process) {
  return (process.state == 'Z' || process.state == 'X' || process.state == 'x') &&
         process.threads <= 1;
}

// ---- signals

// Pids have 22 bits at most.
uint64_t identity_of(const Process& process) {
  return process.start_ticks << 22 | static_cast<uint64_t>(process.pid);
}

// The same process as was found, and still in the jail or below it?
bool is_still(const Process& now, uint64_t identity, const Entry& entry) {
  if (identity_of(now) != identity) return false;
  const uint64_t found = pid_namespace_of(now.pid);
  if (found == entry.pid_namespace) return true;
  if (found == 0) return is_unreadable_but_below(now.pid);
  Process details = now;
  return read_status(now.pid, &details) && details.levels >= 3;  // a pid namespace made inside
}

// The pidfd is opened first: whatever is verified after that is true of the process that it stands
// for.
bool send_verified(uint64_t identity, const Entry& entry, int signal) {
  const auto pid = static_cast<pid_t>(identity & ((1U << 22) - 1));
  const UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  Process now;
  if (!pidfd || !read_stat(pid, &now) || !is_still(now, identity, entry)) return false;
  return syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
}

// Everybody is found before anybody is signalled: the first to die must not hide its children.
int signal_once(int state, const Entry& entry, int signal, NumberSet* done) {
  const size_t before = done->size();
  Walk walk(state, entry);
  while (const pid_t pid = walk.next()) {
    Process process;
    if (!read_stat(pid, &process)) continue;
    walk.look_below(process);
    if (!is_dead(process)) done->add(identity_of(process));
  }
  int count = 0;
  for (size_t i = before; i < done->size(); i++)
    count += send_verified((*done)[i], entry, signal) ? 1 : 0;
  return count;
}

}  // namespace

void each_pid(void (*visit)(void* context, pid_t pid), void* context) {
  each_number_in("/proc", [&](pid_t pid) { visit(context, pid); });
}

ProcessReader::ProcessReader() : sleeps_(sleeps()) {}

ProcessReader::~ProcessReader() { free(buffer_); }

bool ProcessReader::read(pid_t pid, Process* out) {
  if (!read_stat(pid, out) || !read_owner(pid, out)) return false;
  read_arguments(out);
  return true;
}

// In one buffer, that grows when one of them needs it.
void ProcessReader::read_arguments(Process* out) {
  out->arguments = buffer_;
  out->arguments_size = 0;
  if ((out->flags & kKernelThread) != 0 || out->state == 'Z' || waited_ > kPatience) return;
  const UniqueFd fd = open_file(ProcPath(out->pid).file("cmdline"));
  if (!fd) return;
  const uint64_t start = nanoseconds_now();
  const size_t size = fill(fd.get());
  note_wait(nanoseconds_now() - start);
  out->arguments = buffer_;
  out->arguments_size = size;
}

// On a busy host a read may also be long because it is not our turn: that is nobody's fault.
void ProcessReader::note_wait(uint64_t nanoseconds) {
  constexpr uint64_t kLong = 1'000'000;
  if (nanoseconds < kLong) return;
  const long before = sleeps_;
  sleeps_ = sleeps();
  if (sleeps_ != before) waited_ += nanoseconds;
}

size_t ProcessReader::fill(int fd) {
  size_t used = 0;
  for (;;) {
    if (used == capacity_ && !grow()) return used;
    const ssize_t n = read_some(fd, buffer_ + used, capacity_ - used);
    if (n <= 0) return used;
    used += static_cast<size_t>(n);
    if (used < capacity_) return used;  // the kernel fills the buffer when there is more
  }
}

bool ProcessReader::grow() {
  if (capacity_ == kMaxArguments) return false;
  const size_t wanted = capacity_ == 0 ? kSmallRead : kMaxArguments;
  auto* larger = static_cast<char*>(realloc(buffer_, wanted));
  if (larger == nullptr) return false;
  buffer_ = larger;
  capacity_ = wanted;
  return true;
}

JailNumbers::JailNumbers(pid_t anchor, uint64_t pid_namespace)
    : namespace_(open_file(ProcPath(anchor).file("ns/pid"))) {
  struct stat info;
  if (!namespace_ || fstat(namespace_.get(), &info) < 0 || info.st_ino != pid_namespace)
    namespace_.reset();
}

JailNumbers::Answer JailNumbers::ask(pid_t pid, pid_t* inside) const {
  if (!namespace_) return Answer::kUnknown;
  const int number = ioctl(namespace_.get(), NS_GET_TGID_IN_PIDNS, pid);
  if (number < 0) return errno == ESRCH ? Answer::kOutside : Answer::kUnknown;
  *inside = number;
  return Answer::kInside;
}

bool find_namespace(Process* process) {
  if (!read_status(process->pid, process)) return false;
  if (process->levels >= 2) process->pid_namespace = pid_namespace_of(process->pid);
  return true;
}

void each_jail_process(int state, const Entry& entry, VisitProcess visit, void* context) {
  ProcessReader reader;
  Walk walk(state, entry);
  while (const pid_t pid = walk.next()) {
    Process process;
    if (!reader.read(pid, &process)) continue;
    walk.look_below(process);
    if (!fill_number(walk.numbers(), &process)) continue;
    process.jid = entry.jid;
    visit(context, process);
  }
}

bool has_process(int state, const Entry& entry) {
  Walk walk(state, entry);
  while (const pid_t pid = walk.next()) {
    Process process;
    if (!read_stat(pid, &process)) continue;
    if (!is_dead(process)) return true;
    walk.look_below(process);
  }
  return false;
}

int signal_jail(int state, const Entry& entry, int signal) {
  const bool final = signal == SIGKILL || signal == SIGSTOP;
  NumberSet done;
  int count = 0;
  for (int round = 0; round < (final ? kMaxSignalRounds : 1); round++) {
    const size_t before = done.size();
    count += signal_once(state, entry, signal, &done);
    if (done.size() == before) break;
  }
  return count;
}

bool is_anchor(pid_t pid, uint64_t pid_namespace) {
  if (pid <= 0 || pid_namespace == 0) return false;
  const uint64_t found = pid_namespace_of(pid);
  return found == 0 ? is_unreadable_but_below(pid) : found == pid_namespace;
}

}  // namespace dfjail
