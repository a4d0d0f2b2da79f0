#include "calls.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* Packets of any source, sent in every way that there is, and who hears them. */

enum way { RAW, FRAME, VLAN, RING, WAYS };
static const char* const way_names[WAYS] = {"raw", "frame", "vlan", "ring"};
enum { PAYLOAD = 20, PROTOCOLS = 3, MAX_FRAME = 128 };
/* Both ends of a jail's link have this one. */
static const unsigned char hardware[6] = {0x02, 0, 0, 0, 0, 0x01};

static const struct {
  int protocol, protocol6;
  const char* name;
} protocols[PROTOCOLS] = {
    {IPPROTO_ICMP, IPPROTO_ICMPV6, "ICMP"}, {IPPROTO_UDP, IPPROTO_UDP, "UDP"}, {IPPROTO_TCP, IPPROTO_TCP, "TCP"}};

static unsigned short sum_of(const unsigned char* data, size_t size, unsigned long sum) {
  for (size_t i = 0; i < size; i += 2) sum += (unsigned)data[i] << 8 | data[i + 1];
  while (sum >> 16) sum = (sum & 0xFFFF) + (sum >> 16);
  return htons((unsigned short)~sum);
}

/* Of the payload the bytes 4 and 5 say the way: an echo reply's id, a segment's number. Nothing answers it. */
static void make_payload(unsigned char* out, int protocol, enum way way) {
  memset(out, 0, PAYLOAD);
  if (protocol == IPPROTO_ICMPV6) out[0] = 129;
  out[5] = (unsigned char)way;
}

static size_t make_ipv4(unsigned char* out, char** ends, int protocol, enum way way) {
  memset(out, 0, 20);
  out[0] = 0x45;
  out[3] = 20 + PAYLOAD;
  out[8] = 64;
  out[9] = (unsigned char)protocol;
  inet_pton(AF_INET, ends[0], out + 12);
  inet_pton(AF_INET, ends[1], out + 16);
  unsigned short sum = sum_of(out, 20, 0);
  memcpy(out + 10, &sum, sizeof sum);
  make_payload(out + 20, protocol, way);
  sum = sum_of(out + 20, PAYLOAD, 0);
  if (protocol == IPPROTO_ICMP) memcpy(out + 22, &sum, sizeof sum);
  return 20 + PAYLOAD;
}

static size_t make_ipv6(unsigned char* out, char** ends, int protocol, enum way way) {
  memset(out, 0, 40);
  out[0] = 0x60;
  out[5] = PAYLOAD;
  out[6] = (unsigned char)protocol;
  out[7] = 64;
  inet_pton(AF_INET6, ends[0], out + 8);
  inet_pton(AF_INET6, ends[1], out + 24);
  make_payload(out + 40, protocol, way);
  unsigned short sum = sum_of(out + 8, 32 + PAYLOAD, (unsigned long)(PAYLOAD + protocol));
  if (protocol == IPPROTO_ICMPV6) memcpy(out + 42, &sum, sizeof sum);
  return 40 + PAYLOAD;
}

static long send_raw(const unsigned char* packet, size_t size, int family, const char* to, int link) {
  struct sockaddr_in v4 = {.sin_family = AF_INET};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_scope_id = (unsigned)link};
  int fd = socket(family, SOCK_RAW, IPPROTO_RAW);
  if (fd < 0) return -1;
  inet_pton(family, to, family == AF_INET ? (void*)&v4.sin_addr : (void*)&v6.sin6_addr);
  long sent = family == AF_INET ? sendto(fd, packet, size, 0, (struct sockaddr*)&v4, sizeof v4)
                                : sendto(fd, packet, size, 0, (struct sockaddr*)&v6, sizeof v6);
  close(fd);
  return sent;
}

static size_t make_frame(unsigned char* out, const unsigned char* packet, size_t size, int family, enum way way) {
  const unsigned short type = htons(family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
  const unsigned char tag[4] = {0x81, 0, 0, 0}; /* of network 0, which is this one */
  size_t at = 12;
  memcpy(out, hardware, 6);
  memcpy(out + 6, hardware, 6);
  if (way == VLAN) {
    memcpy(out + at, tag, sizeof tag);
    at += sizeof tag;
  }
  memcpy(out + at, &type, sizeof type);
  memcpy(out + at + 2, packet, size);
  return at + 2 + size;
}

/* Then only the frame's own header lies where the kernel reads at once. */
static long send_by_ring(int fd, const unsigned char* frame, size_t size) {
  enum { BLOCK = 4096, DATA = TPACKET2_HDRLEN - sizeof(struct sockaddr_ll) };
  int version = TPACKET_V2;
  struct tpacket_req request = {BLOCK, 1, BLOCK / 2, 2};
  if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0) return -1;
  if (setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &request, sizeof request) < 0) return -1;
  char* ring = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (ring == MAP_FAILED) return -1;
  struct tpacket2_hdr* header = (struct tpacket2_hdr*)ring;
  memcpy(ring + DATA, frame, size);
  header->tp_len = (unsigned)size;
  header->tp_status = TP_STATUS_SEND_REQUEST;
  long sent = send(fd, NULL, 0, 0);
  munmap(ring, BLOCK);
  return sent;
}

static long send_frame(const unsigned char* frame, size_t size, enum way way, int link) {
  struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = link, .sll_protocol = htons(ETH_P_IP)};
  int fd = socket(AF_PACKET, SOCK_RAW, 0);
  if (fd < 0 || bind(fd, (struct sockaddr*)&to, sizeof to) < 0) return -1;
  long sent = way == RING ? send_by_ring(fd, frame, size) : send(fd, frame, size, 0);
  close(fd);
  return sent;
}

/* LINK SOURCE DESTINATION: one packet by every way and of every protocol. */
static long forge(char** args) {
  int family = strchr(args[1], ':') ? AF_INET6 : AF_INET, link = (int)if_nametoindex(args[0]);
  unsigned char packet[MAX_FRAME], frame[MAX_FRAME];
  for (enum way way = RAW; way < WAYS; way++) {
    for (int i = 0; i < PROTOCOLS; i++) {
      size_t size = family == AF_INET ? make_ipv4(packet, args + 1, protocols[i].protocol, way)
                                      : make_ipv6(packet, args + 1, protocols[i].protocol6, way);
      long sent = way == RAW ? send_raw(packet, size, family, args[2], link)
                             : send_frame(frame, make_frame(frame, packet, size, family, way), way, link);
      if (sent < 0) return -1;
    }
  }
  return 0;
}

static void tell(const unsigned char* packet, int family, int protocol, const char* source) {
  const unsigned char* payload = packet + (family == AF_INET ? 4 * (packet[0] & 15) : 0);
  if (payload[5] < WAYS) printf("heard %s %s %s\n", way_names[payload[5]], protocols[protocol].name, source);
  fflush(stdout);
}

static void hear_one(int fd, int family, int protocol) {
  unsigned char packet[2048] = "";
  struct sockaddr_in6 from;
  socklen_t size = sizeof from;
  char source[INET6_ADDRSTRLEN] = "";
  if (recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr*)&from, &size) < PAYLOAD) return;
  inet_ntop(family, family == AF_INET ? (void*)&((struct sockaddr_in*)&from)->sin_addr : (void*)&from.sin6_addr,
            source, sizeof source);
  tell(packet, family, protocol, source);
}

/* Says so for every packet of forge(), of whatever source, until its input ends. */
static long hear(char** args) {
  (void)args;
  struct pollfd fds[2 * PROTOCOLS + 1] = {[2 * PROTOCOLS] = {0, POLLIN, 0}};
  for (int i = 0; i < 2 * PROTOCOLS; i++) {
    int n = i / 2;
    fds[i].fd = i % 2 ? socket(AF_INET6, SOCK_RAW, protocols[n].protocol6) : socket(AF_INET, SOCK_RAW, protocols[n].protocol);
    fds[i].events = POLLIN;
    if (fds[i].fd < 0) return -1;
  }
  printf("hearing\n");
  fflush(stdout);
  while (poll(fds, 2 * PROTOCOLS + 1, -1) > 0) {
    for (int i = 0; i < 2 * PROTOCOLS; i++) {
      if (fds[i].revents) hear_one(fds[i].fd, i % 2 ? AF_INET6 : AF_INET, i / 2);
    }
    if (fds[2 * PROTOCOLS].revents) return 0;
  }
  return -1;
}

static long contact_by(int fd, int family, char** args, int flags) {
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(9)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
  int refused = 0, count = atoi(args[1]);
  for (int i = 0; i < count; i++) {
    char text[64];
    snprintf(text, sizeof text, family == AF_INET ? "%s.%d.%d" : "%s:%d:%d", args[0], i / 250, 1 + i % 250);
    inet_pton(family, text, family == AF_INET ? (void*)&v4.sin_addr : (void*)&v6.sin6_addr);
    refused += (family == AF_INET ? sendto(fd, "", 1, flags, (struct sockaddr*)&v4, sizeof v4)
                                  : sendto(fd, "", 1, flags, (struct sockaddr*)&v6, sizeof v6)) < 0;
  }
  return refused == count ? -1 : 0;
}

/* PREFIX COUNT: a datagram to every one of that many addresses, 250 in each network. */
static long contact(char** args) {
  int family = strchr(args[0], ':') ? AF_INET6 : AF_INET;
  return contact_by(socket(family, SOCK_DGRAM, 0), family, args, 0);
}

/* The same to IPv4 addresses as if they were jail0's neighbours. */
static long contact_on_link(char** args) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "jail0", sizeof "jail0") < 0) return -1;
  return contact_by(fd, AF_INET, args, MSG_DONTROUTE);
}

static int count_neighbours(const char* data, ssize_t size, int* done) {
  int count = 0;
  for (const struct nlmsghdr* at = (const void*)data; NLMSG_OK(at, size); at = NLMSG_NEXT(at, size)) {
    count += at->nlmsg_type == RTM_NEWNEIGH;
    *done |= at->nlmsg_type == NLMSG_DONE || at->nlmsg_type == NLMSG_ERROR;
  }
  return count;
}

/* Of this network, in the tables of the kernel that all networks share. */
static long neighbours(char** args) {
  (void)args;
  struct {
    struct nlmsghdr header;
    struct ndmsg about;
  } request = {{sizeof request, RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {0}};
  char answer[32768];
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), count = 0, done = 0;
  if (fd < 0 || send(fd, &request, sizeof request, 0) < 0) return -1;
  while (!done) {
    ssize_t size = recv(fd, answer, sizeof answer, 0);
    if (size <= 0) return -1;
    count += count_neighbours(answer, size, &done);
  }
  printf("neighbours %d\n", count);
  return 0;
}

/* LINK: whatever looks at what comes in there */
static long remove_filter(char** args) {
  struct {
    struct nlmsghdr header;
    struct tcmsg about;
  } request = {{sizeof request, RTM_DELQDISC, NLM_F_REQUEST | NLM_F_ACK, 1, 0}, {0}};
  char answer[1024];
  request.about.tcm_ifindex = (int)if_nametoindex(args[0]);
  request.about.tcm_parent = TC_H_INGRESS;
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  if (fd < 0 || send(fd, &request, sizeof request, 0) < 0 || recv(fd, answer, sizeof answer, 0) < 0) return -1;
  int error = ((struct nlmsgerr*)NLMSG_DATA((struct nlmsghdr*)answer))->error;
  return error == 0 ? 0 : fail_with(-error);
}

const struct attempt packet_attempts[] = {{"forge", forge},           {"hear", hear},
                                          {"contact", contact},       {"contact-on-link", contact_on_link},
                                          {"neighbours", neighbours}, {"remove-filter", remove_filter},
                                          {NULL, NULL}};
