#include "child.hh"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../monitor/backend.hh"
#include "jail_calls.hh"

namespace dfjail {
namespace {

constexpr int kChannel = 3;

int64_t was_inside = 0;

// Leaves the channel, and what is to be kept behind it.
bool place_descriptors(int channel, int keep) {
  // Out of the way first: either may have the other's number.
  const int above = fcntl(channel, F_DUPFD, kKept + 1);
  const int kept = keep < 0 ? -1 : fcntl(keep, F_DUPFD, kKept + 1);
  if (above < 0 || dup2(above, kChannel) < 0) return false;
  if (keep >= 0 && (kept < 0 || dup2(kept, kKept) < 0)) return false;
  closefrom(keep < 0 ? kKept : kKept + 1);
  return true;
}

[[noreturn]] void be_the_child(uint32_t jid, Errand errand, void* context, int channel, int keep) {
  if (!place_descriptors(channel, keep)) _exit(kCannotEnter);
  forget_secrets(nullptr);
  if (jid != 0) {
    if (jail_enter(static_cast<int>(jid)) < 0) {
      send_answer(kChannel, errno, -1);
      _exit(kCannotEnter);
    }
    if (chdir("/") < 0) _exit(kCannotEnter);
  }
  _exit(errand(context, kChannel));
}

void take_message(int channel, Answer* answer) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  iovec bytes = {&answer->value, sizeof answer->value};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != sizeof answer->value) return;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return;
  int fd;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  answer->passed.reset(fd);
}

// Until the other end is closed, which is when the child is gone, or said something.
bool wait_for_message(int channel, int64_t deadline) {
  for (;;) {
    const int64_t left = deadline - now_in_milliseconds();
    pollfd wait = {channel, POLLIN, 0};
    const int n = poll(&wait, 1, left > 0 ? static_cast<int>(left) : 0);
    if (n > 0) return true;
    if (n == 0 && left <= 0) return false;
  }
}

bool reap_until(pid_t child, int64_t deadline, int* status) {
  for (int pause = 0;; pause = pause < 5 ? pause + 1 : 5) {
    const pid_t done = waitpid(child, status, WNOHANG);
    if (done == child || (done < 0 && errno == ECHILD)) return true;
    if (now_in_milliseconds() >= deadline) break;
    sleep_milliseconds(pause);
  }
  kill(child, SIGKILL);
  while (waitpid(child, status, 0) < 0 && errno == EINTR) {
  }
  return false;
}

}  // namespace

int64_t now_in_milliseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

void note_inside() { was_inside = now_in_milliseconds(); }

int64_t last_inside() { return was_inside; }

void sleep_milliseconds(int milliseconds) {
  const timespec pause = {
      milliseconds / 1000,
      milliseconds == 0 ? 100'000L : static_cast<long>(milliseconds % 1000) * 1'000'000};
  nanosleep(&pause, nullptr);
}

bool send_answer(int channel, int value, int fd) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec bytes = {&value, sizeof value};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  return sendmsg(channel, &message, MSG_NOSIGNAL) == sizeof value;
}

bool run_errand(uint32_t jid, Errand errand, void* context, int milliseconds, Answer* answer) {
  return run_errand_with(-1, jid, errand, context, milliseconds, answer);
}

bool run_errand_with(int keep, uint32_t jid, Errand errand, void* context, int milliseconds,
                     Answer* answer) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
    answer->number = errno;
    return false;
  }
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const pid_t child = fork();
  if (child == 0) be_the_child(jid, errand, context, theirs.get(), keep);
  if (child < 0) {
    answer->number = errno;
    return false;
  }
  theirs.reset();
  const int64_t deadline = now_in_milliseconds() + milliseconds;
  const bool heard = wait_for_message(ours.get(), deadline);
  if (heard) take_message(ours.get(), answer);
  int status = 0;
  const bool in_time = reap_until(child, heard ? deadline : 0, &status) && heard;
  if (jid != 0) note_inside();
  answer->status = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
  if (!in_time)
    answer->number = ETIMEDOUT;
  else if (!WIFEXITED(status))
    answer->number = EINTR;
  else if (answer->status == kCannotEnter)
    answer->number = answer->value != 0 ? answer->value : EIO;
  return answer->number == 0;
}

}  // namespace dfjail
