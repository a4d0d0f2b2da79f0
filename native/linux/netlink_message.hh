#pragma once

#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/address.hh"
#include "../common/error.hh"
#include "../common/unique_fd.hh"

// Requests to rtnetlink, written one after the other and sent together.
namespace dfjail {

// What a request is about, for its error: the step, and either a name or an address.
struct Subject {
  const char* step;
  const char* name;
  const Address* address;
};

// What the kernel said to a request.
struct Answer {
  int error = 0;                     // an errno, or 0
  unsigned route_type = RTN_UNSPEC;  // of a route that was asked for: RTN_…
  int link_index = 0;                // of a link that was asked for
  bool link_running = false;         // it has carrier and its queues carry packets
};

struct Request;
// Decides whether an answer is acceptable; false with *error filled in when it is not.
using Judge = bool (*)(const Request& request, Error* error);

struct Request {
  const char* type;  // as rtnetlink(7) spells it; the error's `syscall`
  Subject subject;
  Judge judge;
  Answer answer;
};

// The judge for requests that must succeed, and the last resort of the others.
bool must_succeed(const Request& request, Error* error);
// What the error of a request says it is about: its name, or its address as text.
void describe(const Request& request, char* out, size_t size);

// A socket to rtnetlink and the requests that are waiting to be sent through it. A failure is kept
// until exchange() tells it, so that callers need not check every request.
class Netlink {
 public:
  // Speaks to the network namespace of the caller.
  bool open(Error* error);
  // Speaks to `netns`. The caller visits it for a moment and is back in the namespace of `home`
  // afterwards: a netlink socket belongs for good to the namespace in which it was made.
  bool open_in(int netns, const Netlink& home, Error* error);

  // Works in `netns`; the caller is back in the namespace of this socket afterwards.
  bool visit(int netns, bool (*work)(Error* error), Error* error) const;

  // Begins a request with its fixed header (ifinfomsg, rtmsg, …); attributes are added to
  // it until the next begin(). `flags` are NLM_F_… besides NLM_F_REQUEST.
  template <typename Header>
  void begin(uint16_t type, uint16_t flags, const Header& header, const Subject& subject,
             Judge judge = must_succeed) {
    start(type, flags, subject, judge);
    append(&header, sizeof header);
  }
  void bytes(uint16_t attribute, const void* data, size_t size);
  void text(uint16_t attribute, const char* value);
  void number(uint16_t attribute, uint32_t value);
  // An attribute of attributes: close_nest takes what open_nest returned.
  size_t open_nest(uint16_t attribute);
  void close_nest(size_t nest);
  // A bare structure inside a nest (veth's peer begins with one).
  void append(const void* data, size_t size);

  // Sends what is waiting, reads the answers and lets the requests' judges decide; false with the
  // first failure.
  bool exchange(Error* error);
  // The answer to the last request of the last exchange.
  const Answer& last_answer() const { return last_answer_; }

 private:
  // The kernel works all requests of a message off before send() returns, and its answers wait in
  // the socket's receive buffer: so many of them fit into the default one (212,992 bytes, about 1
  // KB taken for each) with room to spare.
  static constexpr size_t kMaxRequests = 64;
  static constexpr size_t kMaxBytes = 24576;  // 64 small ones and the largest filter

  void start(uint16_t type, uint16_t flags, const Subject& subject, Judge judge);
  nlmsghdr* current();
  char* reserve(size_t size);
  void flush();
  bool send_all(Error* error);
  bool receive_all(Error* error);
  bool take_answers(const char* buffer, size_t size);
  bool judge_all(Error* error) const;

  UniqueFd socket_;
  alignas(NLMSG_ALIGNTO) char buffer_[kMaxBytes] = {};
  size_t used_ = 0;
  size_t current_ = 0;  // where the request under construction begins
  Request requests_[kMaxRequests] = {};
  size_t count_ = 0;
  uint32_t first_sequence_ = 1;
  bool overflow_ = false;
  Answer last_answer_;
  Error failure_;
};

}  // namespace dfjail
