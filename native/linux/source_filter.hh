#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/address.hh"
#include "../monitor/spec.hh"

// A program of classic BPF for the host's end of a jail's link, run on every frame that comes from
// the jail: lets in IPv4 and IPv6 packets from the jail's own addresses, and nothing else. Frames
// of ARP, of neighbour discovery, of networks within networks are not needed on such a link (see
// netlink.hh) and stay outside. The kernel's own check (rp_filter) is none that holds: it takes the
// larger of two settings, of which the larger is the weaker, and there is none for IPv6.
//
// Classic, since cls_bpf takes that as it is: no bpf(2), which containers refuse, and no verifier.
namespace dfjail {

class SourceFilter {
 public:
  // Those on loopback are no source for a link.
  SourceFilter(const Address* addresses, size_t count);
  const sock_filter* code() const { return code_; }
  uint16_t length() const { return static_cast<uint16_t>(length_); }

 private:
  static constexpr size_t kLongestAddress = 9;  // instructions
  static constexpr size_t kRest = 32;
  static constexpr size_t kMaxLength = kMaxAddresses * kLongestAddress + kRest;
  static_assert(kMaxLength <= BPF_MAXINSNS, "no program of the kernel's may be longer");

  void add(uint16_t code, uint32_t k, uint8_t if_true = 0, uint8_t if_false = 0);
  void judge(uint32_t verdict);
  void drop_shorter_than(uint32_t bytes);
  size_t jump();
  void land(size_t jump);
  void check_ipv4(const Address* addresses, size_t count);
  void refuse_redirects();
  void check_ipv6(const Address* addresses, size_t count);

  sock_filter code_[kMaxLength];
  size_t length_ = 0;
};

}  // namespace dfjail
