#include "hostname.hh"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.hh"
#include "raw.hh"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

namespace dfjail {
namespace {

constexpr size_t kStackSize = size_t{64} * 1024;

// Of the anchor, verified; -1 when it is gone.
UniqueFd open_anchor(const HostnameQuery& query) {
  if (query.anchor <= 0) return UniqueFd();
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, query.anchor, 0)));
  return pidfd && is_anchor(query.anchor, query.pid_namespace) ? static_cast<UniqueFd&&>(pidfd)
                                                               : UniqueFd();
}

void keep(HostnameQuery* query, const utsname& names) {
  static_assert(sizeof names.nodename <= sizeof query->hostname, "a hostname fits");
  memcpy(query->hostname, names.nodename, sizeof names.nodename);
}

// ---- as root: a thread of ours may be in another UTS namespace than the process

struct Batch {
  HostnameQuery* queries;
  size_t count;
  bool permitted;
};

void* ask_in_thread(void* argument) {
  auto* batch = static_cast<Batch*>(argument);
  for (size_t i = 0; i < batch->count && batch->permitted; i++) {
    const UniqueFd pidfd = open_anchor(batch->queries[i]);
    utsname names;
    if (!pidfd) continue;
    if (setns(pidfd.get(), CLONE_NEWUTS) < 0) {
      batch->permitted = errno != EPERM;
      continue;
    }
    if (uname(&names) == 0) keep(&batch->queries[i], names);
  }
  return nullptr;
}

// False when it may not: then nothing has been asked, or only a part.
bool ask_by_thread(HostnameQuery* queries, size_t count) {
  Batch batch = {queries, count, true};
  pthread_attr_t attributes;
  pthread_t thread;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStackSize);
  const int number = pthread_create(&thread, &attributes, ask_in_thread, &batch);
  pthread_attr_destroy(&attributes);
  return number == 0 && pthread_join(thread, nullptr) == 0 && batch.permitted;
}

// ---- rootless: only a process of one thread may enter a user namespace

struct Question {
  int pidfd;
  bool answered;
  utsname names;
};

// Shares our memory while we wait, errno included: only bare system calls. It stays outside of the
// jail's pid namespace, so that nobody in there can see it, and with it our memory.
int ask_in_child(void* argument) {
  auto* question = static_cast<Question*>(argument);
  if (raw::call(SYS_setns, question->pidfd, CLONE_NEWUSER | CLONE_NEWUTS) < 0) return 1;
  question->answered = raw::call(SYS_uname, raw::pointer(&question->names)) == 0;
  return 0;
}

// No exit signal: the embedding program's SIGCHLD handler and its wait(2) for any child must not
// see this one.
bool run_child(char* stack, Question* question) {
  const int pid = clone(ask_in_child, stack + kStackSize, CLONE_VM | CLONE_VFORK, question);
  if (pid < 0) return false;
  while (waitpid(pid, nullptr, static_cast<int>(__WCLONE)) < 0 && errno == EINTR) {
  }
  return question->answered;
}

// Only the anchor's owner may, so the first refusal does not speak for the others.
void ask_by_children(HostnameQuery* queries, size_t count) {
  auto* stack = static_cast<char*>(aligned_alloc(64, kStackSize));
  if (stack == nullptr) return;
  for (size_t i = 0; i < count; i++) {
    const UniqueFd pidfd = open_anchor(queries[i]);
    Question question = {pidfd.get(), false, {}};
    if (pidfd && run_child(stack, &question)) keep(&queries[i], question.names);
  }
  free(stack);
}

}  // namespace

HostnameQuery::HostnameQuery(const Entry& entry)
    : anchor(entry.anchor), pid_namespace(entry.pid_namespace) {
  static_assert(sizeof hostname == sizeof entry.hostname, "copied whole");
  memcpy(hostname, entry.hostname, sizeof hostname);
}

void current_hostnames(HostnameQuery* queries, size_t count) {
  if (count == 0) return;
  // A handler of the embedding program must run neither in our thread nor in a child that shares
  // its memory.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return;
  if (geteuid() != 0 || !ask_by_thread(queries, count)) ask_by_children(queries, count);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void current_hostname(const Entry& entry, char out[kMaxHostname + 1]) {
  HostnameQuery query(entry);
  current_hostnames(&query, 1);
  memcpy(out, query.hostname, sizeof query.hostname);
}

}  // namespace dfjail
