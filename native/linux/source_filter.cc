#include "source_filter.hh"

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>

namespace dfjail {
namespace {

// Offsets are counted from the frame's first byte. Not by SKF_NET_OFF, which sees only what lies in
// one piece: a packet socket with a ring can have the header elsewhere.
constexpr uint32_t kHeader = ETH_HLEN;
constexpr uint32_t kIPv4Bytes = sizeof(iphdr);
constexpr uint32_t kIPv6Bytes = sizeof(ipv6hdr);
constexpr uint32_t kIPv4Source = kHeader + offsetof(iphdr, saddr);
constexpr uint32_t kIPv6Source = kHeader + offsetof(ipv6hdr, saddr);
constexpr uint32_t kFragmentOffset = 0x1FFF;
constexpr uint32_t kRedirect = 5;  // of ICMP

uint32_t word(const Address& address, unsigned index) {
  uint32_t value;
  memcpy(&value, address.bytes + index * sizeof value, sizeof value);
  return ntohl(value);
}

}  // namespace

SourceFilter::SourceFilter(const Address* addresses, size_t count) {
  constexpr uint32_t kProtocol = static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_PROTOCOL);
  // What the kernel takes the frame for, whatever its bytes say.
  add(BPF_LD | BPF_H | BPF_ABS, kProtocol);
  add(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 1, 0);
  const size_t not_ipv4 = jump();
  check_ipv4(addresses, count);
  land(not_ipv4);
  add(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 1, 0);
  judge(TC_ACT_SHOT);
  check_ipv6(addresses, count);
}

void SourceFilter::add(uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false) {
  code_[length_++] = sock_filter{code, if_true, if_false, k};
}

void SourceFilter::judge(uint32_t verdict) { add(BPF_RET | BPF_K, verdict); }

// A load from behind the end ends the program with 0, and that is TC_ACT_OK.
void SourceFilter::drop_shorter_than(uint32_t bytes) {
  add(BPF_LD | BPF_W | BPF_LEN, 0);
  add(BPF_JMP | BPF_JGE | BPF_K, bytes, 1, 0);
  judge(TC_ACT_SHOT);
}

// Over any distance, which those with a condition are not.
size_t SourceFilter::jump() {
  add(BPF_JMP | BPF_JA, 0);
  return length_ - 1;
}

void SourceFilter::land(size_t jump) { code_[jump].k = static_cast<uint32_t>(length_ - jump - 1); }

void SourceFilter::check_ipv4(const Address* addresses, size_t count) {
  size_t known[kMaxAddresses];
  size_t n = 0;
  drop_shorter_than(kHeader + kIPv4Bytes);
  add(BPF_LD | BPF_W | BPF_ABS, kIPv4Source);
  for (size_t i = 0; i < count; i++) {
    if (addresses[i].family != AF_INET || is_loopback(addresses[i])) continue;
    add(BPF_JMP | BPF_JEQ | BPF_K, word(addresses[i], 0), 0, 1);
    known[n++] = jump();
  }
  judge(TC_ACT_SHOT);
  for (size_t i = 0; i < n; i++) land(known[i]);
  if (n > 0) refuse_redirects();
}

// A host that does not forward takes them where either the interface or `all` says so: the setting
// of the interface alone keeps nothing off. For IPv6 that does.
void SourceFilter::refuse_redirects() {
  add(BPF_LD | BPF_B | BPF_ABS, kHeader + offsetof(iphdr, protocol));
  add(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, 1, 0);
  judge(TC_ACT_OK);
  add(BPF_LD | BPF_H | BPF_ABS, kHeader + offsetof(iphdr, frag_off));
  add(BPF_JMP | BPF_JSET | BPF_K, kFragmentOffset, 0, 1);
  judge(TC_ACT_OK);
  add(BPF_LDX | BPF_B | BPF_MSH, kHeader);  // the header's length
  add(BPF_LD | BPF_B | BPF_IND, kHeader);
  add(BPF_JMP | BPF_JEQ | BPF_K, kRedirect, 0, 1);
  judge(TC_ACT_SHOT);
  judge(TC_ACT_OK);
}

void SourceFilter::check_ipv6(const Address* addresses, size_t count) {
  constexpr unsigned kWords = 4;
  constexpr uint32_t kWordBytes = 4;
  drop_shorter_than(kHeader + kIPv6Bytes);
  for (size_t i = 0; i < count; i++) {
    if (addresses[i].family != AF_INET6 || is_loopback(addresses[i])) continue;
    // Addresses of one machine differ in their last word, if anywhere.
    for (unsigned w = kWords; w-- > 0;) {
      add(BPF_LD | BPF_W | BPF_ABS, kIPv6Source + w * kWordBytes);
      add(BPF_JMP | BPF_JEQ | BPF_K, word(addresses[i], w), 0, static_cast<uint8_t>(2 * w + 1));
    }
    judge(TC_ACT_OK);
  }
  judge(TC_ACT_SHOT);
}

}  // namespace dfjail
