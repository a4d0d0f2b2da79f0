#include "netlink_message.hh"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace dfjail {
namespace {

const char* type_name(uint16_t type) {
  switch (type) {
    case RTM_NEWLINK:
      return "RTM_NEWLINK";
    case RTM_DELLINK:
      return "RTM_DELLINK";
    case RTM_GETLINK:
      return "RTM_GETLINK";
    case RTM_SETLINK:
      return "RTM_SETLINK";
    case RTM_NEWADDR:
      return "RTM_NEWADDR";
    case RTM_DELADDR:
      return "RTM_DELADDR";
    case RTM_NEWROUTE:
      return "RTM_NEWROUTE";
    case RTM_GETROUTE:
      return "RTM_GETROUTE";
    case RTM_NEWNEIGH:
      return "RTM_NEWNEIGH";
    case RTM_NEWQDISC:
      return "RTM_NEWQDISC";
    case RTM_NEWTFILTER:
      return "RTM_NEWTFILTER";
    default:
      return "rtnetlink";
  }
}

bool open_socket(UniqueFd* out, Error* error) {
  out->reset(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  return *out || fail(error, "link", "socket");
}

template <typename Header>
Header payload(const char* message) {
  Header header;
  memcpy(&header, message + NLMSG_HDRLEN, sizeof header);
  return header;
}

void take_link(const char* message, size_t size, Answer* answer) {
  answer->link_index = payload<ifinfomsg>(message).ifi_index;
  size_t at = NLMSG_SPACE(sizeof(ifinfomsg));
  while (at + sizeof(rtattr) < size) {
    rtattr attribute;
    memcpy(&attribute, message + at, sizeof attribute);
    if (attribute.rta_len < sizeof attribute) return;
    if (attribute.rta_type == IFLA_OPERSTATE) {
      answer->link_running = message[at + RTA_LENGTH(0)] == IF_OPER_UP;
    }
    at += RTA_ALIGN(attribute.rta_len);
  }
}

// In another network for as long as it lives.
class Visit {
 public:
  // `home` is a socket of the network to come back to. Asked of it, since the monitor's /proc need
  // not show the namespaces.
  Visit(int netns, int home, Error* error) : back_(ioctl(home, SIOCGSKNS)) {
    if (!back_) {
      fail(error, "link", "ioctl(SIOCGSKNS)");
    } else if (setns(netns, CLONE_NEWNET) < 0) {
      fail(error, "link", "setns");
    } else {
      away_ = true;
    }
  }
  // Staying there would make everything that follows touch the wrong network.
  ~Visit() {
    if (away_ && setns(back_.get(), CLONE_NEWNET) < 0) abort();
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  explicit operator bool() const { return away_; }

 private:
  UniqueFd back_;
  bool away_ = false;
};

}  // namespace

void describe(const Request& request, char* out, size_t size) {
  const Address* address = request.subject.address;
  if (address == nullptr) {
    snprintf(out, size, "%s", request.subject.name);
  } else if (inet_ntop(address->family, address->bytes, out, static_cast<socklen_t>(size)) ==
             nullptr) {
    out[0] = '\0';
  }
}

bool must_succeed(const Request& request, Error* error) {
  if (request.answer.error == 0) return true;
  char path[sizeof error->path];
  describe(request, path, sizeof path);
  return fail(error, request.subject.step, request.type, path, request.answer.error);
}

bool Netlink::open(Error* error) { return open_socket(&socket_, error); }

bool Netlink::open_in(int netns, const Netlink& home, Error* error) {
  const Visit visit(netns, home.socket_.get(), error);
  return visit && open_socket(&socket_, error);
}

bool Netlink::visit(int netns, bool (*work)(Error* error), Error* error) const {
  const Visit visit(netns, socket_.get(), error);
  return visit && work(error);
}

nlmsghdr* Netlink::current() { return reinterpret_cast<nlmsghdr*>(buffer_ + current_); }

// Room for `size` more bytes of the request under construction, zeroed up to the next boundary;
// null when there is none.
char* Netlink::reserve(size_t size) {
  const size_t aligned = NLMSG_ALIGN(size);
  if (overflow_ || aligned > kMaxBytes - used_) {
    overflow_ = true;
    return nullptr;
  }
  char* const at = buffer_ + used_;
  memset(at, 0, aligned);
  used_ += aligned;
  current()->nlmsg_len = static_cast<uint32_t>(used_ - current_);
  return at;
}

void Netlink::start(uint16_t type, uint16_t flags, const Subject& subject, Judge judge) {
  if (count_ == kMaxRequests) flush();
  current_ = used_;
  if (reserve(sizeof(nlmsghdr)) == nullptr) return;
  current()->nlmsg_type = type;
  current()->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  current()->nlmsg_seq = first_sequence_ + static_cast<uint32_t>(count_);
  requests_[count_++] = Request{type_name(type), subject, judge, Answer{}};
}

void Netlink::append(const void* data, size_t size) {
  if (char* const at = reserve(size)) memcpy(at, data, size);
}

void Netlink::bytes(uint16_t attribute, const void* data, size_t size) {
  char* const at = reserve(RTA_LENGTH(size));
  if (at == nullptr) return;
  const rtattr header = {static_cast<uint16_t>(RTA_LENGTH(size)), attribute};
  memcpy(at, &header, sizeof header);
  if (size != 0) memcpy(at + RTA_LENGTH(0), data, size);
}

void Netlink::text(uint16_t attribute, const char* value) {
  bytes(attribute, value, strlen(value) + 1);
}

void Netlink::number(uint16_t attribute, uint32_t value) { bytes(attribute, &value, sizeof value); }

size_t Netlink::open_nest(uint16_t attribute) {
  const size_t nest = used_;
  bytes(attribute, nullptr, 0);
  return nest;
}

void Netlink::close_nest(size_t nest) {
  if (overflow_) return;
  const uint16_t length = static_cast<uint16_t>(used_ - nest);
  memcpy(buffer_ + nest + offsetof(rtattr, rta_len), &length, sizeof length);
}

bool Netlink::send_all(Error* error) {
  const char* const step = requests_[count_ - 1].subject.step;
  if (overflow_) return fail(error, step, "send", "", EMSGSIZE);
  // Errors are answered whether asked for or not: one acknowledgement, of the last request, tells
  // that all are through.
  current()->nlmsg_flags |= NLM_F_ACK;
  ssize_t sent;
  do {
    sent = send(socket_.get(), buffer_, used_, 0);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0 || fail(error, step, "send");
}

// True when the last request has been answered.
bool Netlink::take_answers(const char* buffer, size_t size) {
  bool complete = false;
  for (size_t at = 0; at + sizeof(nlmsghdr) <= size;) {
    const char* const message = buffer + at;
    nlmsghdr header;
    memcpy(&header, message, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > size - at) break;
    at += NLMSG_ALIGN(header.nlmsg_len);
    const size_t index = header.nlmsg_seq - first_sequence_;
    if (index >= count_) continue;
    Answer* const answer = &requests_[index].answer;
    if (header.nlmsg_type == RTM_NEWROUTE) answer->route_type = payload<rtmsg>(message).rtm_type;
    if (header.nlmsg_type == RTM_NEWLINK) take_link(message, header.nlmsg_len, answer);
    if (header.nlmsg_type != NLMSG_ERROR) continue;
    answer->error = -payload<nlmsgerr>(message).error;
    complete = index == count_ - 1;
  }
  return complete;
}

bool Netlink::receive_all(Error* error) {
  // Above what the kernel puts into one answer: 8 KB, or an error with the request that it is
  // about.
  alignas(NLMSG_ALIGNTO) char buffer[kMaxBytes + 8192];
  for (;;) {
    // The answers are there already (see kMaxRequests): waiting for one that is not would never
    // end.
    const ssize_t size = recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(error, requests_[count_ - 1].subject.step, "recv");
    if (take_answers(buffer, static_cast<size_t>(size))) return true;
  }
}

bool Netlink::judge_all(Error* error) const {
  for (size_t i = 0; i < count_; i++) {
    if (!requests_[i].judge(requests_[i], error)) return false;
  }
  return true;
}

// Sends unless something has failed already, and empties the list.
void Netlink::flush() {
  if (count_ == 0) return;
  if (!failure_.failed() && send_all(&failure_) && receive_all(&failure_)) judge_all(&failure_);
  last_answer_ = requests_[count_ - 1].answer;
  first_sequence_ += static_cast<uint32_t>(count_);
  count_ = 0;
  used_ = 0;
  overflow_ = false;
}

bool Netlink::exchange(Error* error) {
  flush();
  if (!failure_.failed()) return true;
  *error = failure_;
  failure_ = Error{};
  return false;
}

}  // namespace dfjail
