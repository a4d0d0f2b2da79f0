#include "calls.h"

#include <arpa/inet.h>
#include <linux/icmpv6.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <sys/socket.h>

/* ---- what the network looks like, changed by rtnetlink(7) */

struct request {
  struct nlmsghdr header;
  char rest[512];
};

static void* append(struct request* request, size_t size) {
  void* at = (char*)request + NLMSG_ALIGN(request->header.nlmsg_len);
  request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + size;
  return at;
}

static void attribute(struct request* request, int type, const void* data, size_t size) {
  struct rtattr* one = append(request, RTA_LENGTH(size));
  one->rta_type = type;
  one->rta_len = RTA_LENGTH(size);
  memcpy(RTA_DATA(one), data, size);
}

static struct request begin(int type) {
  struct request request = {{NLMSG_LENGTH(0), type, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 1, 0}, ""};
  return request;
}

static long ask(struct request* request) {
  struct request answer;
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  if (fd < 0 || send(fd, request, request->header.nlmsg_len, 0) < 0) return -1;
  if (recv(fd, &answer, sizeof answer, 0) < (ssize_t)NLMSG_LENGTH(sizeof(int))) return fail_with(EIO);
  int error = ((struct nlmsgerr*)NLMSG_DATA(&answer.header))->error;
  return error == 0 ? 0 : fail_with(-error);
}

/* ADDRESS onto lo */
static long take_address(char** args) {
  struct in_addr address;
  struct request request = begin(RTM_NEWADDR);
  struct ifaddrmsg* about = append(&request, sizeof *about);
  about->ifa_family = AF_INET;
  about->ifa_prefixlen = 32;
  about->ifa_index = 1;
  inet_pton(AF_INET, args[0], &address);
  attribute(&request, IFA_LOCAL, &address, sizeof address);
  return ask(&request);
}

static long bring_link_up(char** args) {
  (void)args;
  struct request request = begin(RTM_NEWLINK);
  struct ifinfomsg* about = append(&request, sizeof *about);
  about->ifi_index = 1;
  about->ifi_flags = about->ifi_change = IFF_UP;
  return ask(&request);
}

/* everything to ADDRESS goes to lo */
static long take_route(char** args) {
  bring_link_up(NULL); /* in namespaces of one's own nobody has done that yet */
  struct in_addr address;
  int index = 1;
  struct request request = begin(RTM_NEWROUTE);
  struct rtmsg* about = append(&request, sizeof *about);
  about->rtm_family = AF_INET;
  about->rtm_dst_len = 32;
  about->rtm_table = RT_TABLE_MAIN;
  about->rtm_protocol = RTPROT_STATIC;
  about->rtm_scope = RT_SCOPE_LINK;
  about->rtm_type = RTN_UNICAST;
  inet_pton(AF_INET, args[0], &address);
  attribute(&request, RTA_DST, &address, sizeof address);
  attribute(&request, RTA_OIF, &index, sizeof index);
  return ask(&request);
}

static long make_link(char** args) {
  (void)args;
  struct request request = begin(RTM_NEWLINK);
  append(&request, sizeof(struct ifinfomsg));
  struct rtattr* info = append(&request, RTA_LENGTH(0));
  size_t start = request.header.nlmsg_len - RTA_LENGTH(0);
  info->rta_type = IFLA_LINKINFO;
  attribute(&request, IFLA_INFO_KIND, "bridge", 6);
  info->rta_len = request.header.nlmsg_len - start;
  return ask(&request);
}

/* ---- an address that a router announces, and we are the router */

struct announcement {
  struct ip6_hdr ip;
  struct icmp6hdr icmp;
  unsigned reachable, retransmit;
  struct {
    unsigned char type, length, prefix_length, flags;
    unsigned valid, preferred, reserved;
    struct in6_addr prefix;
  } prefix;
};

static unsigned short checksum(const struct announcement* a) {
  const unsigned char* data = (const unsigned char*)&a->icmp;
  const unsigned char* ends = (const unsigned char*)&a->ip.ip6_src;
  size_t size = sizeof *a - sizeof a->ip;
  unsigned long sum = size + IPPROTO_ICMPV6;
  for (size_t i = 0; i < 32; i += 2) sum += (unsigned)ends[i] << 8 | ends[i + 1];
  for (size_t i = 0; i < size; i += 2) sum += (unsigned)data[i] << 8 | data[i + 1];
  while (sum >> 16) sum = (sum & 0xFFFF) + (sum >> 16);
  return htons((unsigned short)~sum);
}

static void announce(struct announcement* a, const char* prefix) {
  memset(a, 0, sizeof *a);
  a->ip.ip6_flow = htonl(6U << 28);
  a->ip.ip6_plen = htons(sizeof *a - sizeof a->ip);
  a->ip.ip6_nxt = IPPROTO_ICMPV6;
  a->ip.ip6_hlim = 255;
  inet_pton(AF_INET6, "fe80::77", &a->ip.ip6_src);
  inet_pton(AF_INET6, "ff02::1", &a->ip.ip6_dst);
  a->icmp.icmp6_type = 134;
  a->icmp.icmp6_hop_limit = 64;
  a->icmp.icmp6_rt_lifetime = htons(1800);
  a->prefix.type = 3;
  a->prefix.length = 4;
  a->prefix.prefix_length = 64;
  a->prefix.flags = 0xC0; /* on this link, and to make addresses of */
  a->prefix.valid = a->prefix.preferred = htonl(86400);
  inet_pton(AF_INET6, prefix, &a->prefix.prefix);
  a->icmp.icmp6_cksum = checksum(a);
}

static int has_address_of(const char* prefix) {
  char line[256], digits[17] = "";
  struct in6_addr wanted;
  inet_pton(AF_INET6, prefix, &wanted);
  for (int i = 0; i < 8; i++) sprintf(digits + 2 * i, "%02x", wanted.s6_addr[i]);
  FILE* list = fopen("/proc/self/net/if_inet6", "r");
  int found = 0;
  while (list != NULL && fgets(line, sizeof line, list) != NULL) found |= strncmp(line, digits, 16) == 0;
  return found;
}

/* INTERFACE PREFIX: does it become an address of ours? */
static long announce_prefix(char** args) {
  struct announcement a;
  struct sockaddr_in6 all = {.sin6_family = AF_INET6, .sin6_scope_id = if_nametoindex(args[0])};
  int one = 1, fd = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
  if (fd < 0) return -1;
  inet_pton(AF_INET6, "ff02::1", &all.sin6_addr);
  setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &one, sizeof one);
  setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &all.sin6_scope_id, sizeof all.sin6_scope_id);
  announce(&a, args[1]);
  for (int i = 0; i < 20; i++) {
    if (sendto(fd, &a, sizeof a, 0, (struct sockaddr*)&all, sizeof all) < 0) return -1;
    usleep(20000);
    if (has_address_of(args[1])) return 0;
  }
  return fail_with(EPERM);
}

const struct attempt netlink_attempts[] = {{"take-address", take_address},
                                           {"take-route", take_route},
                                           {"make-link", make_link},
                                           {"bring-link-up", bring_link_up},
                                           {"announce", announce_prefix},
                                           {NULL, NULL}};
