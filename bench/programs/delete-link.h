// Deletes a network interface, as `ip link delete` does.
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int delete_link(int netlink, const char *name) {
  struct {
    struct nlmsghdr header;
    struct ifinfomsg link;
    struct rtattr attribute;
    char name[16];
  } request;
  char answer[4096];
  memset(&request, 0, sizeof request);
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_DELLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  request.attribute.rta_type = IFLA_IFNAME;
  request.attribute.rta_len = RTA_LENGTH(sizeof request.name);
  snprintf(request.name, sizeof request.name, "%s", name);
  if (send(netlink, &request, sizeof request, 0) < 0) return 0;
  return recv(netlink, answer, sizeof answer, 0) > 0;
}
