#include "anchor.hh"

#include <unistd.h>

#include "capabilities.hh"
#include "child.hh"
#include "jail_calls.hh"
#include "sysctl.hh"

namespace dfjail {
namespace {

constexpr size_t kMost = 256;
constexpr int kHoldPatience = 1000;  // milliseconds: a jailed process can stop our child
constexpr int kPatience = 30'000;    // milliseconds: jail(2) waits for other jails being made

// Exit status of the child: where it failed.
enum Failure { kDone = 0, kChdir = 1, kJail = 2, kSocket = 3 };
constexpr const char* kCalls[] = {"", "chdir", "jail", "socket"};

struct Request {
  const char* path;
  const char* hostname;
  sockaddr_storage addresses[kMost];  // as the kernel wants them: last first
  uint32_t count;
};

void put(sockaddr_storage* out, const Address& address) {
  memset(out, 0, sizeof *out);
  if (address.family == AF_INET) {
    sockaddr_in v4 = {};
    v4.sin_len = sizeof v4;
    v4.sin_family = AF_INET;
    memcpy(&v4.sin_addr, address.bytes, 4);
    memcpy(out, &v4, sizeof v4);
    return;
  }
  sockaddr_in6 v6 = {};
  v6.sin6_len = sizeof v6;
  v6.sin6_family = AF_INET6;
  memcpy(&v6.sin6_addr, address.bytes,
         16);  // no scope: the kernel compares without, and prints it wrong
  memcpy(out, &v6, sizeof v6);
}

int enter_new_jail(void* context, int channel) {
  const Request* request = static_cast<Request*>(context);
  // The working directory is not changed by the call and would lead out.
  if (chdir(request->path) < 0) {
    send_answer(channel, -errno, -1);
    return kChdir;
  }
  const int jid = jail_create(request->path, request->hostname, request->addresses, request->count);
  if (jid < 0) {
    send_answer(channel, -errno, -1);
    return kJail;
  }
  const int anchor = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (anchor >= 0 && send_answer(channel, jid, anchor)) return kDone;
  send_answer(channel, -errno, -1);
  return kSocket;
}

int do_nothing(void*, int) { return 0; }

int hand_out_socket(void*, int channel) {
  const int anchor = socket(AF_UNIX, SOCK_DGRAM, 0);
  return anchor >= 0 && send_answer(channel, 0, anchor) ? 0 : 1;
}

}  // namespace

bool raise_jail(const char* path, const char* hostname, const Address* addresses, size_t count,
                UniqueFd* anchor, uint32_t* jid, Error* error) {
  static Request request;
  if (count > kMost) return fail(error, "jail", "jail", path, E2BIG);
  request.path = path;
  request.hostname = hostname;
  request.count = static_cast<uint32_t>(count);
  for (size_t i = 0; i < count; i++) put(&request.addresses[i], addresses[count - 1 - i]);
  Answer answer;
  const bool run = run_errand(0, enter_new_jail, &request, kPatience, &answer);
  note_inside();
  if (!run) return fail(error, "jail", "fork", path, answer.number);
  if (answer.status != kDone) {
    const int which = answer.status >= kChdir && answer.status <= kSocket ? answer.status : kJail;
    return fail(error, "jail", kCalls[which], path, answer.value < 0 ? -answer.value : EIO);
  }
  if (!answer.passed || answer.value <= 0) return fail(error, "jail", "recvmsg", path, EIO);
  *jid = static_cast<uint32_t>(answer.value);
  *anchor = static_cast<UniqueFd&&>(answer.passed);
  return true;
}

UniqueFd hold_jail(uint32_t jid) {
  Answer answer;
  run_errand(jid, hand_out_socket, nullptr, kHoldPatience, &answer);
  return static_cast<UniqueFd&&>(answer.passed);
}

bool jail_exists(uint32_t jid) {
  if (jid == 0) return false;
  // Below 10,000 a node cannot be the cut name of another one.
  if (jid < 10'000 && sysctl_exists("jail.defaults.set_hostname_allowed"))
    return jail_seems_to_exist(jid);
  Answer answer;
  // The call looks for the jail first; whatever else it complains of, the jail is there.
  return run_errand(jid, do_nothing, nullptr, 5000, &answer) || answer.number != EINVAL;
}

}  // namespace dfjail
