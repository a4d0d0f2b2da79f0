#include "netlink.hh"

#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../common/steps.hh"
#include "../common/unique_fd.hh"
#include "file_system.hh"
#include "netlink_message.hh"
#include "source_filter.hh"

namespace dfjail {
namespace {

constexpr const char* kJailLink = "jail0";
// Links that are about to be deleted, as a group of `ip link`. Not a number that somebody else
// takes.
constexpr uint32_t kLeavingGroup = 0x646a6c21;
constexpr int kLoopbackIndex = 1;  // the kernel gives it to `lo` of every namespace
// Locally administered, the same at both ends of every pair (see netlink.hh). Given explicitly it
// also keeps udev from choosing another one for our end.
constexpr unsigned char kHardwareAddress[6] = {0x02, 0, 0, 0, 0, 0x01};
constexpr Address kHostIPv4 = {AF_INET, {169, 254, 1, 1}};
constexpr Address kHostIPv6 = {AF_INET6, {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
constexpr Address kGroupsIPv4 = {AF_INET, {224}};
constexpr Address kGroupsIPv6 = {AF_INET6, {0xff}};
constexpr Address kLinkIPv6 = {AF_INET6, {0xfe, 0x80}};
constexpr Address kLoopbackIPv4 = {AF_INET, {127, 0, 0, 1}};
constexpr Address kLoopbackIPv6 = {AF_INET6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
constexpr int kFamilies[] = {AF_INET, AF_INET6};
// Some of what is asked for is done by workers of the kernel: soon after, but the link watcher up
// to a second later.
constexpr int kTries = 20000;
constexpr long kPause = 100000;  // ns

constexpr const char* kHostHasIt =
    "The host itself has this address: choose another one, or take it off the host's interface "
    "first.";
constexpr const char* kRoutedAlready =
    "The host routes this address already, most likely to another jail: stop that jail (or delete "
    "the route), or choose "
    "another address.";
constexpr const char* kReserved =
    "The host's end of the jail's link has this address: choose another one.";
constexpr const char* kNoIPv6 =
    "IPv6 is off here: enable it (sysctl net.ipv6.conf.default.disable_ipv6, kernel parameter "
    "ipv6.disable), or leave "
    "the IPv6 addresses out.";
constexpr const char* kNoVeth =
    "This kernel cannot make veth pairs: load or install its module veth.";
constexpr const char* kNoFilter =
    "This kernel cannot keep packets with a foreign source from leaving the jail, which rawSockets "
    "would let it write: load or install its modules sch_ingress and cls_bpf, or leave out either "
    "rawSockets or the addresses.";
constexpr const char* kAdvertisements =
    "Both ends of the jail's link would take routes and addresses from whoever announces them: "
    "mount /proc/sys writable.";

bool is_link_local(const Address& address) {
  return address.family == AF_INET6 && address.bytes[0] == 0xfe &&
         (address.bytes[1] & 0xc0) == 0x80;
}

bool is_routable(const Address& address) {
  return !is_loopback(address) && !is_link_local(address);
}

bool same(const Address& a, const Address& b) {
  return a.family == b.family && memcmp(a.bytes, b.bytes, a.size()) == 0;
}

bool has_family(const Address* addresses, size_t count, int family) {
  for (size_t i = 0; i < count; i++) {
    if (addresses[i].family == family) return true;
  }
  return false;
}

// Has the jail an address of this family (AF_UNSPEC: of any) that lives on jail0?
bool has_linked(const Address* addresses, size_t count, int family) {
  for (size_t i = 0; i < count; i++) {
    const bool wanted = family == AF_UNSPEC || addresses[i].family == family;
    if (wanted && !is_loopback(addresses[i])) return true;
  }
  return false;
}

const Address* first_routable(const Address* addresses, size_t count, int family) {
  for (size_t i = 0; i < count; i++) {
    if (addresses[i].family == family && is_routable(addresses[i])) return &addresses[i];
  }
  return nullptr;
}

unsigned char prefix_length(const Address& address) {
  if (address.family == AF_INET) return is_loopback(address) ? 8 : 32;
  return is_link_local(address) ? 64 : 128;
}

// ---- judges

bool refuse(const Request& request, const char* code, const char* detail, Error* error) {
  char path[sizeof error->path];
  describe(request, path, sizeof path);
  return fail_with_code(error, request.subject.step, code, path, detail);
}

bool is_ipv6(const Request& request) {
  return request.subject.address != nullptr && request.subject.address->family == AF_INET6;
}

// A kernel built or booted without IPv6 does not know the family.
bool no_family(int error) { return error == EOPNOTSUPP || error == EAFNOSUPPORT; }

bool family_must_exist(const Request& request, Error* error) {
  const int number = request.answer.error;
  // EACCES: the family is there, but switched off for the interface.
  const bool off = no_family(number) || number == EACCES;
  if (is_ipv6(request) && off) return refuse(request, "ERR_JAIL_UNSUPPORTED", kNoIPv6, error);
  return must_succeed(request, error);
}

bool may_exist(const Request& request, Error* error) {
  return request.answer.error == EEXIST || family_must_exist(request, error);
}

bool may_be_absent(const Request& request, Error* error) {
  const int number = request.answer.error;
  if (no_family(number) || number == EADDRNOTAVAIL || number == ENODEV) return true;
  return must_succeed(request, error);
}

bool filter_must_exist(const Request& request, Error* error) {
  switch (request.answer.error) {
    case EEXIST:  // the queue of somebody else's filters
      return true;
    case ENOENT:
    case EOPNOTSUPP:
    case EINVAL:
      return refuse(request, "ERR_JAIL_UNSUPPORTED", kNoFilter, error);
    default:
      return must_succeed(request, error);
  }
}

bool veth_must_exist(const Request& request, Error* error) {
  if (request.answer.error != EOPNOTSUPP) return must_succeed(request, error);
  return refuse(request, "ERR_JAIL_UNSUPPORTED", kNoVeth, error);
}

bool must_be_foreign(const Request& request, Error* error) {
  switch (request.answer.error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EACCES:  // a "prohibit" route
    case EINVAL:  // a "blackhole" route
      return true;
    default:
      break;
  }
  switch (request.answer.route_type) {
    case RTN_LOCAL:
    case RTN_ANYCAST:
      return refuse(request, "ERR_JAIL_ADDRESS_IN_USE", kHostHasIt, error);
    case RTN_BROADCAST:
    case RTN_MULTICAST: {
      Request refused = request;
      refused.answer.error = EADDRNOTAVAIL;
      return must_succeed(refused, error);
    }
    default:
      return family_must_exist(request, error);
  }
}

// EAGAIN: not yet.
bool must_be_local(const Request& request, Error* error) {
  Request judged = request;
  const bool local = request.answer.error == 0 && request.answer.route_type == RTN_LOCAL;
  judged.answer.error = local ? 0 : EAGAIN;
  return must_succeed(judged, error);
}

bool must_be_new_route(const Request& request, Error* error) {
  if (request.answer.error != EEXIST) return family_must_exist(request, error);
  Request refused = request;
  refused.subject.step = "address";
  return refuse(refused, "ERR_JAIL_ADDRESS_IN_USE", kRoutedAlready, error);
}

// ---- requests

Subject about_link(const char* name) { return {"link", name, nullptr}; }
Subject about(const char* step, const Address& address) { return {step, nullptr, &address}; }

// With IFLA_IFNAME as its first attribute, a request about a link finds it by its name.
void ask_for_link(Netlink* netlink, const char* name) {
  netlink->begin(RTM_GETLINK, 0, ifinfomsg{}, about_link(name));
  netlink->text(IFLA_IFNAME, name);
  netlink->number(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

void bring_up(Netlink* netlink, const char* name) {
  ifinfomsg header = {};
  header.ifi_flags = IFF_UP;
  header.ifi_change = IFF_UP;
  netlink->begin(RTM_SETLINK, 0, header, about_link(name));
  netlink->text(IFLA_IFNAME, name);
}

// No link-local address of the kernel's making. A request of its own, before the link is up: within
// one request the kernel would bring the link up first.
void forbid_generated_addresses(Netlink* netlink, const char* name) {
  netlink->begin(RTM_SETLINK, 0, ifinfomsg{}, about_link(name), may_be_absent);
  netlink->text(IFLA_IFNAME, name);
  const size_t families = netlink->open_nest(IFLA_AF_SPEC);
  const size_t inet6 = netlink->open_nest(AF_INET6);
  const unsigned char none = IN6_ADDR_GEN_MODE_NONE;
  netlink->bytes(IFLA_INET6_ADDR_GEN_MODE, &none, sizeof none);
  netlink->close_nest(inet6);
  netlink->close_nest(families);
}

// What only IPv4 has a request for. No routes from redirects; and IPv4 packets whose source is not
// routed back to the jail are dropped, where no larger setting of the host's forbids (for what
// holds see SourceFilter).
void set_ipv4(Netlink* netlink, const char* name) {
  netlink->begin(RTM_SETLINK, 0, ifinfomsg{}, about_link(name));
  netlink->text(IFLA_IFNAME, name);
  const size_t families = netlink->open_nest(IFLA_AF_SPEC);
  const size_t inet = netlink->open_nest(AF_INET);
  const size_t settings = netlink->open_nest(IFLA_INET_CONF);
  netlink->number(IPV4_DEVCONF_RP_FILTER, 1);
  netlink->number(IPV4_DEVCONF_ACCEPT_REDIRECTS, 0);
  netlink->close_nest(settings);
  netlink->close_nest(inet);
  netlink->close_nest(families);
}

// Two requests: the place where frames come in, and the program that they meet there. Both go with
// the link. Not clsact, which has all links of the host look at what leaves as well.
void filter_sources(Netlink* netlink, int index, const char* name, const SourceFilter& filter) {
  tcmsg header = {};
  header.tcm_ifindex = index;
  header.tcm_parent = TC_H_INGRESS;
  header.tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0);
  constexpr uint16_t kNew = NLM_F_CREATE | NLM_F_EXCL;
  netlink->begin(RTM_NEWQDISC, kNew, header, about_link(name), filter_must_exist);
  netlink->text(TCA_KIND, "ingress");
  header.tcm_parent = header.tcm_handle;
  header.tcm_handle = 0;
  header.tcm_info = TC_H_MAKE(1U << 16, htons(ETH_P_ALL));  // the first, for all protocols
  netlink->begin(RTM_NEWTFILTER, kNew, header, about_link(name), filter_must_exist);
  netlink->text(TCA_KIND, "bpf");
  const size_t options = netlink->open_nest(TCA_OPTIONS);
  const uint16_t length = filter.length();
  netlink->bytes(TCA_BPF_OPS_LEN, &length, sizeof length);
  netlink->bytes(TCA_BPF_OPS, filter.code(), length * sizeof *filter.code());
  netlink->number(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
  netlink->close_nest(options);
}

void create_pair(Netlink* netlink, const char* link, int netns) {
  ifinfomsg header = {};
  header.ifi_flags = IFF_NOARP;
  header.ifi_change = IFF_NOARP;
  netlink->begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header, about_link(link), veth_must_exist);
  netlink->text(IFLA_IFNAME, link);
  netlink->bytes(IFLA_ADDRESS, kHardwareAddress, sizeof kHardwareAddress);
  const size_t info = netlink->open_nest(IFLA_LINKINFO);
  netlink->text(IFLA_INFO_KIND, "veth");
  const size_t data = netlink->open_nest(IFLA_INFO_DATA);
  const size_t peer = netlink->open_nest(VETH_INFO_PEER);
  netlink->append(&header, sizeof header);
  netlink->text(IFLA_IFNAME, kJailLink);
  netlink->bytes(IFLA_ADDRESS, kHardwareAddress, sizeof kHardwareAddress);
  netlink->number(IFLA_NET_NS_FD, static_cast<uint32_t>(netns));
  netlink->close_nest(peer);
  netlink->close_nest(data);
  netlink->close_nest(info);
}

void add_address(Netlink* netlink, int index, const Address& address, unsigned char scope,
                 Judge judge) {
  ifaddrmsg header = {};
  header.ifa_family = static_cast<unsigned char>(address.family);
  header.ifa_prefixlen = prefix_length(address);
  header.ifa_scope = scope;
  header.ifa_index = static_cast<unsigned>(index);
  netlink->begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, header, about("address", address), judge);
  netlink->bytes(IFA_LOCAL, address.bytes, address.size());
  if (address.family != AF_INET6) return;
  // A route to a /128 beside the local one is of no use.
  const bool alone = header.ifa_prefixlen == 128;
  netlink->number(IFA_FLAGS, alone ? IFA_F_NODAD | IFA_F_NOPREFIXROUTE : IFA_F_NODAD);
}

void remove_loopback(Netlink* netlink, const Address& address) {
  ifaddrmsg header = {};
  header.ifa_family = static_cast<unsigned char>(address.family);
  header.ifa_prefixlen = prefix_length(address);
  header.ifa_index = kLoopbackIndex;
  netlink->begin(RTM_DELADDR, 0, header, about("address", address), may_be_absent);
  netlink->bytes(IFA_LOCAL, address.bytes, address.size());
}

rtmsg route_header(const Address& address, unsigned char length) {
  rtmsg header = {};
  header.rtm_family = static_cast<unsigned char>(address.family);
  header.rtm_dst_len = length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = address.family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  return header;
}

// How an address is routed; a link-local one says little without its link.
void ask_for_route(Netlink* netlink, int index, const Address& address, Judge judge) {
  rtmsg header = {};
  header.rtm_family = static_cast<unsigned char>(address.family);
  header.rtm_dst_len = address.family == AF_INET ? 32 : 128;
  netlink->begin(RTM_GETROUTE, 0, header, about("address", address), judge);
  netlink->bytes(RTA_DST, address.bytes, address.size());
  if (is_link_local(address)) netlink->number(RTA_OIF, static_cast<uint32_t>(index));
}

void add_host_route(Netlink* netlink, int index, const Address& address) {
  netlink->begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
                 route_header(address, prefix_length(address)), about("route", address),
                 must_be_new_route);
  netlink->bytes(RTA_DST, address.bytes, address.size());
  netlink->number(RTA_OIF, static_cast<uint32_t>(index));
}

// An entry that stays, and does not count among those that the kernel has a limit for.
void add_neighbour(Netlink* netlink, int index, const Address& address) {
  ndmsg header = {};
  header.ndm_family = static_cast<unsigned char>(address.family);
  header.ndm_ifindex = index;
  header.ndm_state = NUD_PERMANENT;
  netlink->begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL, header, about("route", address),
                 family_must_exist);
  netlink->bytes(NDA_DST, address.bytes, address.size());
  netlink->bytes(NDA_LLADDR, kHardwareAddress, sizeof kHardwareAddress);
}

// By the host's end, though whatever leaves arrives there: else the kernel would make one entry for
// every destination in a table that all network namespaces share.
void route_by_host(Netlink* netlink, int index, const rtmsg& route, const Address& to,
                   const Address* source) {
  constexpr uint32_t kFirst = 128;  // of IPv6: before those that the kernel makes with an address
  const Address& gateway = to.family == AF_INET ? kHostIPv4 : kHostIPv6;
  rtmsg header = route;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  header.rtm_flags = RTNH_F_ONLINK;
  netlink->begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, header, about("route", to),
                 family_must_exist);
  if (header.rtm_dst_len > 0) netlink->bytes(RTA_DST, to.bytes, to.size());
  netlink->number(RTA_OIF, static_cast<uint32_t>(index));
  netlink->bytes(RTA_GATEWAY, gateway.bytes, gateway.size());
  if (source != nullptr) netlink->bytes(RTA_PREFSRC, source->bytes, source->size());
  if (to.family == AF_INET6 && header.rtm_dst_len > 0) netlink->number(RTA_PRIORITY, kFirst);
}

void add_default_route(Netlink* netlink, int index, const Address* source) {
  if (source != nullptr) route_by_host(netlink, index, route_header(*source, 0), *source, source);
}

// To groups, and to what the kernel takes for neighbours where the jail has a link-local address.
void add_link_routes(Netlink* netlink, int index, int family) {
  if (family == AF_INET) {
    add_neighbour(netlink, index, kHostIPv4);
    return route_by_host(netlink, index, route_header(kGroupsIPv4, 4), kGroupsIPv4, nullptr);
  }
  add_neighbour(netlink, index, kHostIPv6);
  rtmsg groups = route_header(kGroupsIPv6, 8);
  groups.rtm_table = RT_TABLE_LOCAL;
  groups.rtm_type = RTN_MULTICAST;
  route_by_host(netlink, index, groups, kGroupsIPv6, nullptr);
  route_by_host(netlink, index, route_header(kLinkIPv6, 64), kLinkIPv6, nullptr);
}

// ---- waiting

void pause_a_little() {
  const timespec pause = {0, kPause};
  nanosleep(&pause, nullptr);
}

bool await_carrier(Netlink* jail, Error* error) {
  for (int i = 0; i < kTries; i++) {
    ask_for_link(jail, kJailLink);
    if (!jail->exchange(error)) return false;
    if (jail->last_answer().link_running) return true;
    pause_a_little();
  }
  return fail(error, "link", "RTM_GETLINK", kJailLink, ETIMEDOUT);
}

// Until packets to the addresses are taken for one's own. For an IPv6 address, one without DAD too,
// that is decided by a worker; before it has run, the first packets to a jail are lost (its default
// route would take them elsewhere).
bool await_addresses(Netlink* netlink, int index, const Address* addresses, size_t count,
                     Error* error) {
  Error failure;
  for (int i = 0; i < kTries; i++) {
    for (size_t k = 0; k < count; k++) {
      if (addresses[k].family == AF_INET6)
        ask_for_route(netlink, index, addresses[k], must_be_local);
    }
    if (netlink->exchange(&failure)) return true;
    if (failure.number != EAGAIN) break;
    pause_a_little();
  }
  if (failure.number == EAGAIN) failure.number = ETIMEDOUT;
  *error = failure;
  return false;
}

// ---- phases of connect_host

bool check_reserved(const Address* addresses, size_t count, Error* error) {
  for (size_t i = 0; i < count; i++) {
    if (!same(addresses[i], kHostIPv4) && !same(addresses[i], kHostIPv6)) continue;
    char path[INET6_ADDRSTRLEN] = "";
    inet_ntop(addresses[i].family, addresses[i].bytes, path, sizeof path);
    return fail_with_code(error, "address", "ERR_JAIL_ADDRESS_IN_USE", path, kReserved);
  }
  return true;
}

bool check_addresses(Netlink* host, const Address* addresses, size_t count, Error* error) {
  for (size_t i = 0; i < count; i++) {
    if (is_routable(addresses[i])) ask_for_route(host, 0, addresses[i], must_be_foreign);
  }
  return host->exchange(error);
}

// Settings of the network that one is in, written one after the other. Where /proc/sys is mounted
// read-only, as in containers, by a procfs of our own.
class Settings {
 public:
  // True where there is no such setting, too: then nothing of the kind happens.
  bool clear(const char* path) {
    UniqueFd fd(open(path, O_WRONLY | O_CLOEXEC));
    if (!fd && errno != ENOENT) fd = open_in_own(path);
    if (fd) return write(fd.get(), "0", 1) == 1;
    return errno == ENOENT && access("/proc/sys/net", F_OK) == 0;
  }

 private:
  UniqueFd open_in_own(const char* path) {
    const int refused = errno;
    if (!own_) own_ = new_procfs(0);
    if (own_) return UniqueFd(openat(own_.get(), path + strlen("/proc/"), O_WRONLY | O_CLOEXEC));
    errno = refused;
    return UniqueFd();
  }
  UniqueFd own_;
};

bool clear(Settings* settings, const char* path, Error* error) {
  return settings->clear(path) ||
         fail_with_code(error, "link", "ERR_JAIL_UNSUPPORTED", path, kAdvertisements);
}

// A jail that may use raw sockets could announce itself as a router. The host would send it its
// traffic; and inside it would get addresses that nobody gave it. Redirects are the same for a
// single destination. Netlink cannot switch these off.
bool ignore_announcements(Settings* settings, const char* link, Error* error) {
  constexpr const char* kFolder = "/proc/sys/net/ipv6/conf";
  char routers[64];
  char redirects[64];
  snprintf(routers, sizeof routers, "%s/%s/accept_ra", kFolder, link);
  snprintf(redirects, sizeof redirects, "%s/%s/accept_redirects", kFolder, link);
  return clear(settings, routers, error) && clear(settings, redirects, error);
}

bool ignore_announcements_outside(const char* link, Error* error) {
  Settings settings;
  return ignore_announcements(&settings, link, error);
}

// IPv4 takes redirects where either `all` or the link says so.
bool ignore_announcements_inside(Error* error) {
  Settings settings;
  return ignore_announcements(&settings, kJailLink, error) &&
         clear(&settings, "/proc/sys/net/ipv4/conf/all/accept_redirects", error);
}

// Both ends up. The one that comes first has no carrier yet, and the kernel starts its queues only
// later, by the link watcher; until then it drops what is sent. So jail0 goes first and is waited
// for.
bool bring_ends_up(Netlink* host, const char* link, int netns, int* index, Error* error) {
  if (!host->visit(netns, ignore_announcements_inside, error)) return false;
  Netlink jail;
  if (!jail.open_in(netns, *host, error)) return false;
  set_ipv4(&jail, kJailLink);
  forbid_generated_addresses(&jail, kJailLink);
  bring_up(&jail, kJailLink);
  if (!jail.exchange(error)) return false;
  set_ipv4(host, link);
  forbid_generated_addresses(host, link);
  bring_up(host, link);
  ask_for_link(host, link);
  if (!host->exchange(error)) return false;
  *index = host->last_answer().link_index;
  return await_carrier(&jail, error);
}

bool route_addresses(Netlink* host, int index, const Address* addresses, size_t count,
                     Error* error) {
  const bool has_ipv6 = has_linked(addresses, count, AF_INET6);
  if (has_linked(addresses, count, AF_INET)) {
    // Of link scope, so that the host never chooses it as its source towards anybody else.
    add_address(host, index, kHostIPv4, RT_SCOPE_LINK, must_succeed);
  }
  if (has_ipv6) add_address(host, index, kHostIPv6, RT_SCOPE_LINK, family_must_exist);
  for (size_t i = 0; i < count; i++) {
    if (is_routable(addresses[i])) add_host_route(host, index, addresses[i]);
  }
  return host->exchange(error) && await_addresses(host, index, &kHostIPv6, has_ipv6 ? 1 : 0, error);
}

// ---- phases of disconnect_in_turn

class Turn {
 public:
  explicit Turn(int file) : file_(file), taken_(flock(file_, LOCK_EX | LOCK_NB) == 0) {}
  // Nobody else had it.
  bool taken() const { return taken_; }
  void await() {
    while (flock(file_, LOCK_EX) < 0 && errno == EINTR) {
    }
  }
  ~Turn() { flock(file_, LOCK_UN); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  int file_;
  bool taken_;
};

// Did the link go with the network namespace of its other end? The kernel ends these one after the
// other, and the one before may take it 30 ms.
bool goes_by_itself(const char* link) {
  constexpr uint64_t kPatience = 50'000'000;  // ns
  constexpr long kLongestPause = 400'000;     // ns
  const UniqueFd any(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", link);
  const uint64_t until = nanoseconds_now() + kPatience;
  for (timespec pause = {0, 50'000}; ioctl(any.get(), SIOCGIFINDEX, &request) == 0;) {
    if (nanoseconds_now() > until) return false;
    nanosleep(&pause, nullptr);
    if (pause.tv_nsec < kLongestPause) pause.tv_nsec *= 2;
  }
  return errno == ENODEV;
}

void mark_leaving(Netlink* host, const char* link) {
  host->begin(RTM_SETLINK, 0, ifinfomsg{}, about_link(link), may_be_absent);
  host->text(IFLA_IFNAME, link);
  host->number(IFLA_GROUP, kLeavingGroup);
}

bool is_there(Netlink* host, const char* link, bool* there, Error* error) {
  host->begin(RTM_GETLINK, 0, ifinfomsg{}, about_link(link), may_be_absent);
  host->text(IFLA_IFNAME, link);
  host->number(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  if (!host->exchange(error)) return false;
  *there = host->last_answer().error == 0;
  return true;
}

// ---- phases of configure_jail

bool bring_loopback_up(Netlink* jail, const Address* addresses, size_t count, Error* error) {
  bring_up(jail, "lo");
  if (!has_family(addresses, count, AF_INET)) remove_loopback(jail, kLoopbackIPv4);
  if (!has_family(addresses, count, AF_INET6)) remove_loopback(jail, kLoopbackIPv6);
  return jail->exchange(error);
}

bool find_link(Netlink* jail, int* index, Error* error) {
  ask_for_link(jail, kJailLink);
  if (!jail->exchange(error)) return false;
  *index = jail->last_answer().link_index;
  return true;
}

}  // namespace

bool check_foreign(const Address* addresses, size_t count, Error* error) {
  Netlink host;
  return host.open(error) && check_addresses(&host, addresses, count, error);
}

bool connect_host(const char* link, int netns, const Address* addresses, size_t count,
                  Error* error) {
  if (!has_linked(addresses, count, AF_UNSPEC)) return true;
  if (!check_reserved(addresses, count, error)) return false;
  Netlink host;
  if (!host.open(error) || !check_addresses(&host, addresses, count, error)) return false;
  create_pair(&host, link, netns);
  if (!host.exchange(error)) return false;
  int index = 0;
  if (ignore_announcements_outside(link, error) &&
      bring_ends_up(&host, link, netns, &index, error)) {
    step_done("link");
    if (route_addresses(&host, index, addresses, count, error)) {
      step_done("route");
      return true;
    }
  }
  Error ignored;
  disconnect_host(link, &ignored);
  return false;
}

bool can_filter_sources() {
  Netlink netlink;
  Error error;
  if (!netlink.open(&error)) return false;
  filter_sources(&netlink, kLoopbackIndex, "lo", SourceFilter(nullptr, 0));
  return netlink.exchange(&error);
}

bool filter_link(const char* link, const Address* addresses, size_t count, Error* error) {
  Netlink host;
  if (!host.open(error)) return false;
  ask_for_link(&host, link);
  if (!host.exchange(error)) return false;
  filter_sources(&host, host.last_answer().link_index, link, SourceFilter(addresses, count));
  return host.exchange(error);
}

bool disconnect_host(const char* link, Error* error) {
  Netlink host;
  if (!host.open(error)) return false;
  host.begin(RTM_DELLINK, 0, ifinfomsg{}, about_link(link), may_be_absent);
  host.text(IFLA_IFNAME, link);
  return host.exchange(error);
}

bool disconnect_in_turn(const char* link, int turn, Error* error) {
  if (turn < 0) return disconnect_host(link, error);
  Turn mine(turn);
  if (mine.taken()) return goes_by_itself(link) || disconnect_host(link, error);
  Netlink host;
  if (!host.open(error)) return false;
  mark_leaving(&host, link);
  if (!host.exchange(error)) return false;
  mine.await();
  bool there = false;
  if (!is_there(&host, link, &there, error)) return false;
  if (!there) return true;
  host.begin(RTM_DELLINK, 0, ifinfomsg{}, about_link(link), may_be_absent);
  host.number(IFLA_GROUP, kLeavingGroup);
  return host.exchange(error);
}

bool configure_jail(const Address* addresses, size_t count, bool linked, Error* error) {
  Netlink jail;
  if (!jail.open(error)) return false;
  const bool uses_link = linked && has_linked(addresses, count, AF_UNSPEC);
  int index = kLoopbackIndex;
  if (!bring_loopback_up(&jail, addresses, count, error)) return false;
  if (uses_link && !find_link(&jail, &index, error)) return false;
  for (size_t i = 0; i < count; i++) {
    const bool inside = is_loopback(addresses[i]);
    const unsigned char scope = inside ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
    add_address(&jail, inside ? kLoopbackIndex : index, addresses[i], scope, may_exist);
  }
  if (uses_link) {
    for (const int family : kFamilies) {
      if (!has_linked(addresses, count, family)) continue;
      add_link_routes(&jail, index, family);
      add_default_route(&jail, index, first_routable(addresses, count, family));
    }
  }
  if (!jail.exchange(error) || !await_addresses(&jail, index, addresses, count, error))
    return false;
  step_done("address");  // all at once
  return true;
}

}  // namespace dfjail
