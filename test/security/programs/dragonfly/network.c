#include "../attempt.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/if_var.h>
#include <net/route.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct sockaddr_in address_of(const char* text) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_len = sizeof address;
  address.sin_family = AF_INET;
  inet_pton(AF_INET, text, &address.sin_addr);
  return address;
}

/* ADDRESS onto lo0; taken away again where it worked. */
static long take_address(char** args) {
  struct in_aliasreq request;
  struct ifreq old;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  memset(&request, 0, sizeof request);
  memset(&old, 0, sizeof old);
  strlcpy(request.ifra_name, "lo0", sizeof request.ifra_name);
  request.ifra_addr = address_of(args[0]);
  request.ifra_mask = address_of("255.255.255.255");
  if (ioctl(fd, SIOCAIFADDR, &request) < 0) return -1;
  strlcpy(old.ifr_name, "lo0", sizeof old.ifr_name);
  memcpy(&old.ifr_addr, &request.ifra_addr, sizeof request.ifra_addr);
  return ioctl(fd, SIOCDIFADDR, &old);
}

struct message {
  struct rt_msghdr header;
  struct sockaddr_in to, by;
};

static long change_route(int fd, int type, const char* address) {
  struct message message;
  memset(&message, 0, sizeof message);
  message.header.rtm_msglen = sizeof message;
  message.header.rtm_version = RTM_VERSION;
  message.header.rtm_type = (unsigned char)type;
  message.header.rtm_flags = RTF_UP | RTF_HOST | RTF_GATEWAY | RTF_STATIC;
  message.header.rtm_addrs = RTA_DST | RTA_GATEWAY;
  message.to = address_of(address);
  message.by = address_of("127.0.0.1");
  return write(fd, &message, sizeof message) < 0 ? -1 : 0;
}

/* ADDRESS: everything to it goes to the loopback; taken away again where it worked. */
static long take_route(char** args) {
  int fd = socket(PF_ROUTE, SOCK_RAW, 0);
  if (fd < 0 || change_route(fd, RTM_ADD, args[0]) < 0) return -1;
  return change_route(fd, RTM_DELETE, args[0]);
}

static long with_interface(unsigned long request, unsigned long undo, const char* name) {
  struct ifreq about;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  memset(&about, 0, sizeof about);
  strlcpy(about.ifr_name, name, sizeof about.ifr_name);
  if (ioctl(fd, SIOCGIFFLAGS, &about) < 0 && request == SIOCSIFFLAGS) return -1;
  if (ioctl(fd, request, &about) < 0) return -1;
  return undo == 0 ? 0 : ioctl(fd, undo, &about);
}
static long make_link(char** args) {
  (void)args;
  return with_interface(SIOCIFCREATE, SIOCIFDESTROY, "lo");
}
/* Its flags, to what they are already. */
static long bring_link_up(char** args) {
  (void)args;
  return with_interface(SIOCSIFFLAGS, 0, "lo0");
}

const struct attempt dragonfly_network_attempts[] = {{"take-address", take_address},
                                                     {"take-route", take_route},
                                                     {"make-link", make_link},
                                                     {"bring-link-up", bring_link_up},
                                                     {NULL, NULL}};
