// The network of jails, tried for real: root only, prints TAP, exits non-zero when a case failed.
// Every case runs in a process with a network namespace of its own that plays the host, so that
// nothing touches the machine's network.
//
//   netlink-test           the cases
//   netlink-test --time    how long connecting and disconnecting take
#include "../../native/linux/netlink.hh"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <initializer_list>

#include "../../native/common/unique_fd.hh"

#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif

using dfjail::Address;
using dfjail::Error;
using dfjail::UniqueFd;

namespace {

constexpr uint16_t kPort = 4242;
constexpr int kTimeout = 500;  // ms; below the second after which a lost SYN is sent again
constexpr const char* kLink = "dfj1";
constexpr const char* kHostIPv4 = "10.200.0.1";
constexpr const char* kHostIPv6 = "2001:db8:200::1";

bool without_ipv6 = false;

void pretend_no_ipv6(char* bytes, size_t size);

}  // namespace

// Stands before the C library's. The kernel has IPv6, so what one without it answers is got by
// asking for a family that nobody has: the kernel looks for its handler, finds none and says so, as
// it would for AF_INET6.
extern "C" ssize_t send(int fd, const void* data, size_t size, int flags) {
  char copy[16384];
  if (without_ipv6 && size <= sizeof copy) {
    memcpy(copy, data, size);
    pretend_no_ipv6(copy, size);
    data = copy;
  }
  return syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}

namespace {

void pretend_no_ipv6(char* bytes, size_t size) {
  constexpr unsigned char nobody = AF_IPX;
  for (size_t at = 0; at + sizeof(nlmsghdr) <= size;) {
    nlmsghdr header;
    memcpy(&header, bytes + at, sizeof header);
    char* const body = bytes + at + NLMSG_HDRLEN;
    if (body[0] == AF_INET6) body[0] = nobody;
    // The attribute AF_INET6 of IFLA_AF_SPEC, as netlink.cc writes it: at the end, 12 bytes with
    // what it holds.
    rtattr last;
    char* const end = bytes + at + header.nlmsg_len;
    memcpy(&last, end - 12, sizeof last);
    if (header.nlmsg_type == RTM_SETLINK && last.rta_type == AF_INET6) {
      last.rta_type = nobody;
      memcpy(end - 12, &last, sizeof last);
    }
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
}

// ---- reporting

int failures = 0;

void check(bool good, const char* what, const char* subject = "") {
  if (good) return;
  failures++;
  printf("  # not so: %s %s\n", what, subject);
}

void check_done(bool done, const Error& error, const char* what) {
  if (done && !error.failed()) return;
  failures++;
  printf("  # %s failed: %s %s %s %s (errno %d) %s\n", what, error.step, error.syscall, error.path,
         error.code, error.number, error.detail);
}

void check_refused(bool done, const Error& error, const char* code, const char* step,
                   const char* path) {
  const bool as_told = strcmp(error.code, code) == 0 && strcmp(error.step, step) == 0 &&
                       strcmp(error.path, path) == 0;
  if (!done && as_told) {
    check(error.number != 0 || strlen(error.detail) > 20, "the error says what to do");
    return;
  }
  failures++;
  printf("  # expected %s at %s %s, got %s at %s %s (%s, errno %d)\n", code, step, path, error.code,
         error.step, error.path, done ? "success" : "failure", error.number);
}

[[noreturn]] void give_up(const char* what) {
  printf("  # cannot test: %s: %s\n", what, strerror(errno));
  fflush(stdout);
  _exit(2);
}

// ---- namespaces

int open_self_netns() {
  const int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (fd < 0) give_up("open ns/net");
  return fd;
}

// Visits a network namespace while in scope.
class Visit {
 public:
  explicit Visit(int netns) : home_(open_self_netns()) {
    if (setns(netns, CLONE_NEWNET) < 0) give_up("setns");
  }
  ~Visit() {
    if (setns(home_.get(), CLONE_NEWNET) < 0) give_up("setns back");
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  UniqueFd home_;
};

struct Jail {
  UniqueFd user;
  UniqueFd net;
};

int open_ns(pid_t pid, const char* kind) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, kind);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) give_up(path);
  return fd;
}

// As the package makes them: a network namespace that belongs to a user namespace.
Jail make_jail() {
  int ready[2];
  if (pipe(ready) < 0) give_up("pipe");
  const pid_t pid = fork();
  if (pid == 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) give_up("unshare");
    if (write(ready[1], "", 1) != 1) _exit(2);
    pause();
  }
  char byte;
  if (read(ready[0], &byte, 1) != 1) give_up("namespaces of the jail");
  Jail jail{UniqueFd(open_ns(pid, "user")), UniqueFd(open_ns(pid, "net"))};
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  return jail;
}

// ---- addresses

struct Addresses {
  Address list[256];
  size_t count = 0;
  void add(const char* text) {
    if (!dfjail::parse_address(text, &list[count++])) give_up(text);
  }
  template <typename... Texts>
  explicit Addresses(Texts... texts) {
    (add(texts), ...);
  }
};

bool connect_jail(const char* link, const Jail& jail, const Addresses& addresses, Error* error) {
  return dfjail::connect_host(link, jail.net.get(), addresses.list, addresses.count, error);
}

// By a child that has entered the jail's user namespace, and so has no power over the host's
// network.
bool configure(const Jail& jail, const Addresses& addresses, bool linked, Error* error) {
  int result[2];
  if (pipe(result) < 0) give_up("pipe");
  const pid_t pid = fork();
  if (pid == 0) {
    if (setns(jail.user.get(), CLONE_NEWUSER) < 0 || setns(jail.net.get(), CLONE_NEWNET) < 0)
      give_up("setns");
    const bool done = dfjail::configure_jail(addresses.list, addresses.count, linked, error);
    _exit(write(result[1], error, sizeof *error) == sizeof *error && done ? 0 : 1);
  }
  close(result[1]);
  const bool told = read(result[0], error, sizeof *error) == sizeof *error;
  close(result[0]);
  int status;
  waitpid(pid, &status, 0);
  if (!told) give_up("configure");
  return status == 0;
}

void set_up(const char* link, const Jail& jail, const Addresses& addresses) {
  Error error;
  check_done(connect_jail(link, jail, addresses, &error), error, "connect_host");
  check_done(configure(jail, addresses, true, &error), error, "configure_jail");
}

// ---- traffic

double now_ms() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

socklen_t to_sockaddr(const char* text, uint16_t port, int scope, sockaddr_storage* out) {
  Address address;
  if (!dfjail::parse_address(text, &address)) give_up(text);
  memset(out, 0, sizeof *out);
  if (address.family == AF_INET) {
    sockaddr_in in = {};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    memcpy(&in.sin_addr, address.bytes, 4);
    memcpy(out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in6 = {};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  in6.sin6_scope_id = static_cast<uint32_t>(scope);
  memcpy(&in6.sin6_addr, address.bytes, 16);
  memcpy(out, &in6, sizeof in6);
  return sizeof in6;
}

// errno of binding to an address, 0: it works.
int try_bind(int netns, const char* text) {
  const Visit visit(netns);
  sockaddr_storage address;
  const socklen_t size = to_sockaddr(text, 0, 0, &address);
  const UniqueFd fd(socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 ? 0 : errno;
}

bool await_connected(int fd, sockaddr* address, socklen_t size) {
  if (connect(fd, address, size) == 0) return true;
  if (errno != EINPROGRESS) return false;
  pollfd ready = {fd, POLLOUT, 0};
  int error = 0;
  socklen_t length = sizeof error;
  if (poll(&ready, 1, kTimeout) != 1) return false;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

void name_of(const sockaddr_storage& peer, char out[INET6_ADDRSTRLEN]) {
  sockaddr_in in;
  sockaddr_in6 in6;
  memcpy(&in, &peer, sizeof in);
  memcpy(&in6, &peer, sizeof in6);
  if (peer.ss_family == AF_INET) inet_ntop(AF_INET, &in.sin_addr, out, INET6_ADDRSTRLEN);
  if (peer.ss_family == AF_INET6) inet_ntop(AF_INET6, &in6.sin6_addr, out, INET6_ADDRSTRLEN);
}

// TCP from one namespace to an address in another, at once. `source`: whom the listener sees, when
// not null.
bool reaches(int from, int to, const char* text, const char* source = nullptr,
             const char* link = "") {
  sockaddr_storage address;
  UniqueFd listener;
  {
    const Visit visit(to);
    const int scope =
        static_cast<int>(if_nametoindex(strcmp(link, "jail0") == 0 ? kLink : "jail0"));
    const socklen_t size = to_sockaddr(text, kPort, link[0] != '\0' ? scope : 0, &address);
    listener.reset(socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;
    setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) < 0) return false;
    if (listen(listener.get(), 8) < 0) return false;
  }
  const Visit visit(from);
  const socklen_t size = to_sockaddr(text, kPort, static_cast<int>(if_nametoindex(link)), &address);
  const UniqueFd fd(socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!await_connected(fd.get(), reinterpret_cast<sockaddr*>(&address), size)) return false;
  sockaddr_storage peer;
  socklen_t peer_size = sizeof peer;
  const UniqueFd accepted(accept(listener.get(), reinterpret_cast<sockaddr*>(&peer), &peer_size));
  char name[INET6_ADDRSTRLEN] = "";
  name_of(peer, name);
  if (source == nullptr || strcmp(source, name) == 0) return true;
  printf("  # came from %s\n", name);
  return false;
}

void check_all_reachable(int host, const Jail& jail, const Addresses& addresses) {
  for (size_t i = 0; i < addresses.count; i++) {
    char text[INET6_ADDRSTRLEN];
    inet_ntop(addresses.list[i].family, addresses.list[i].bytes, text, sizeof text);
    check(reaches(host, jail.net.get(), text), "the host reaches", text);
    check(reaches(jail.net.get(), jail.net.get(), text), "the jail reaches itself at", text);
  }
}

// ---- a machine without time for the kernel's workers

[[noreturn]] void spin_on(int processor, int ready) {
  constexpr double duration = 50;  // ms; far longer than the calls take
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(processor, &only);
  sched_param priority = {};
  priority.sched_priority = 1;
  if (sched_setaffinity(0, sizeof only, &only) < 0) _exit(0);
  sched_setscheduler(0, SCHED_FIFO, &priority);
  const double end = now_ms() + duration;
  if (write(ready, "", 1) != 1) _exit(1);
  while (now_ms() < end) {
  }
  _exit(0);
}

// Keeps every processor busy for a moment, at a priority at which no worker of the kernel gets to
// run: what has not been waited for has not happened then. Only this process goes before that.
class BusyMachine {
 public:
  BusyMachine() {
    int ready[2];
    if (pipe(ready) < 0) give_up("pipe");
    for (long i = sysconf(_SC_NPROCESSORS_ONLN); i > 0 && count_ < kMax; i--) {
      pids_[count_] = fork();
      if (pids_[count_++] == 0) spin_on(static_cast<int>(i - 1), ready[1]);
    }
    set_priority(SCHED_FIFO, 2);
    close(ready[1]);
    char byte;
    while (read(ready[0], &byte, 1) == 1 && ++ready_ < count_) {
    }
    close(ready[0]);
  }
  ~BusyMachine() {
    set_priority(SCHED_OTHER, 0);
    for (size_t i = 0; i < count_; i++) {
      kill(pids_[i], SIGKILL);
      waitpid(pids_[i], nullptr, 0);
    }
  }
  BusyMachine(const BusyMachine&) = delete;
  BusyMachine& operator=(const BusyMachine&) = delete;

 private:
  static constexpr size_t kMax = 256;
  static void set_priority(int policy, int value) {
    sched_param priority = {};
    priority.sched_priority = value;
    sched_setscheduler(0, policy, &priority);
  }

  pid_t pids_[kMax];
  size_t count_ = 0;
  size_t ready_ = 0;
};

// ---- what a namespace has

size_t count_lines(const char* path, const char* word, const char* last = "") {
  FILE* file = fopen(path, "re");
  if (file == nullptr) give_up(path);
  char line[512];
  size_t count = 0;
  while (fgets(line, sizeof line, file) != nullptr) {
    if (strstr(line, word) != nullptr && strstr(line, last) != nullptr) count++;
  }
  fclose(file);
  return count;
}

bool has_link(const char* link) {
  char word[32];
  snprintf(word, sizeof word, "%s:", link);
  return count_lines("/proc/thread-self/net/dev", word) != 0;
}

size_t count_routes(const char* link) {
  return count_lines("/proc/thread-self/net/route", link) +
         count_lines("/proc/thread-self/net/ipv6_route", link);
}

void host_has(const char* text) {
  Addresses address(text);
  Error error;
  // On lo, which is where the unlinked form puts addresses.
  check_done(dfjail::configure_jail(address.list, 1, false, &error), error, "address of the host");
}

// ---- cases; `host` is the host's network namespace, in which they run

void both_ways(int host) {
  const Jail jail = make_jail();
  const Addresses addresses("10.1.0.1", "10.1.0.2", "2001:db8:1::1", "2001:db8:1::2");
  set_up(kLink, jail, addresses);
  check_all_reachable(host, jail, addresses);
  check(reaches(jail.net.get(), host, kHostIPv4, "10.1.0.1"),
        "the jail reaches, from its first address,", kHostIPv4);
  check(reaches(jail.net.get(), host, kHostIPv6, "2001:db8:1::1"),
        "the jail reaches, from its first address,", kHostIPv6);
  check(!reaches(host, jail.net.get(), "10.1.0.3"),
        "an address that it does not have is out of reach");
}

// Is this an address whose local route has been made? Its flags are RTF_UP | RTF_NONEXTHOP |
// RTF_LOCAL.
bool is_local(const char* digits) {
  return count_lines("/proc/thread-self/net/ipv6_route", digits, "80200001") == 1;
}

constexpr uint16_t kFrameKind = 0x88b5;  // for experiments

bool send_frame(int sender, const char* link, int receiver) {
  const unsigned char frame[60] = {
      0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 1, kFrameKind >> 8, kFrameKind & 0xff};
  sockaddr_ll to = {};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(if_nametoindex(link));
  sendto(sender, frame, sizeof frame, 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
  pollfd ready = {receiver, POLLIN, 0};
  return poll(&ready, 1, 100) == 1;
}

int frame_socket() { return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(kFrameKind)); }

// Frames at the moment when connect_host has returned, before the jail has an address: the kernel
// drops what a link sends before its queues have been started, and it starts those of one end
// later, from a worker.
void check_carries(const Jail& jail, bool from_jail) {
  const UniqueFd host(frame_socket());
  UniqueFd inside;
  {
    const Visit visit(jail.net.get());
    inside.reset(frame_socket());
  }
  const BusyMachine busy;
  Error error;
  // IPv4, for which connect_host waits for nothing else.
  check_done(connect_jail(kLink, jail, Addresses("10.1.0.1"), &error), error, "connect_host");
  if (!from_jail) {
    check(send_frame(host.get(), kLink, inside.get()),
          "a frame from the host, sent at once, arrives");
    return;
  }
  const Visit visit(jail.net.get());
  check(send_frame(inside.get(), "jail0", host.get()),
        "a frame from the jail, sent at once, arrives");
}

void link_at_once(int) {
  for (int i = 0; i < 6; i++) {
    const Jail jail = make_jail();
    Error error;
    check_carries(jail, i % 2 == 0);
    check_done(dfjail::disconnect_host(kLink, &error), error, "disconnect_host");
  }
}

// The kernel takes packets to an IPv6 address for its own only once a worker has made the local
// route.
void local_at_once(int) {
  const Addresses addresses("2001:db8:1::1", "10.1.0.1", "2001:db8:1::2");
  for (int i = 0; i < 3; i++) {
    const Jail jail = make_jail();
    Error error;
    {
      const BusyMachine busy;
      check_done(connect_jail(kLink, jail, addresses, &error), error, "connect_host");
      check(is_local("fe800000000000000000000000000001 80"),
            "fe80::1 is there when connect_host returns");
    }
    {
      const BusyMachine busy;
      const Visit visit(jail.net.get());
      check_done(dfjail::configure_jail(addresses.list, addresses.count, true, &error), error,
                 "configure_jail");
      check(is_local("20010db8000100000000000000000002 80"),
            "an IPv6 address is there when configure_jail returns");
    }
    check_done(dfjail::disconnect_host(kLink, &error), error, "disconnect_host");
  }
}

void host_without_addresses(int host) {
  const Jail jail = make_jail();
  const Addresses addresses("10.1.0.1", "2001:db8:1::1");
  set_up(kLink, jail, addresses);
  check(reaches(host, jail.net.get(), "10.1.0.1", "169.254.1.1"),
        "the host reaches from 169.254.1.1");
  check(reaches(host, jail.net.get(), "2001:db8:1::1", "fe80::1"), "the host reaches from fe80::1");
}

void only_its_addresses(int) {
  const Jail jail = make_jail();
  set_up(kLink, jail, Addresses("10.1.0.1", "2001:db8:1::1"));
  usleep(20000);  // the kernel adds its own late
  const Visit visit(jail.net.get());
  check(count_lines("/proc/thread-self/net/if_inet6", "jail0") == 1, "one IPv6 address on jail0");
  check(count_lines("/proc/thread-self/net/if_inet6", "fe80") == 0, "no link-local address");
  check(count_lines("/proc/thread-self/net/if_inet6", "20010db8000100000000000000000001", " 80 ") ==
            1,
        "it is permanent, not tentative");
}

void link_local(int host) {
  const Jail jail = make_jail();
  const Addresses addresses("fe80::5", "10.1.0.1");
  set_up(kLink, jail, addresses);
  check(reaches(host, jail.net.get(), "fe80::5", "fe80::1", kLink),
        "the host reaches fe80::5 through the link");
  check(reaches(jail.net.get(), host, "fe80::1", "fe80::5", "jail0"),
        "the jail reaches fe80::1 through the link");
  // The link's own, which the kernel made with fe80::1.
  check(count_lines("/proc/thread-self/net/ipv6_route", "fe800000000000000000000000000000 40",
                    kLink) == 1,
        "no host route");
}

void second_jail(int host) {
  const Jail one = make_jail();
  const Jail two = make_jail();
  set_up(kLink, one, Addresses("10.1.0.1", "2001:db8:1::1"));
  Error error;
  bool done = connect_jail("dfj2", two, Addresses("10.1.0.2", "10.1.0.1"), &error);
  check_refused(done, error, "ERR_JAIL_ADDRESS_IN_USE", "address", "10.1.0.1");
  check(!has_link("dfj2"), "a refused jail leaves no link");
  check(count_routes("dfj2") == 0, "nor a route");
  error = Error{};
  done = connect_jail("dfj2", two, Addresses("2001:db8:1::2", "2001:db8:1::1"), &error);
  check_refused(done, error, "ERR_JAIL_ADDRESS_IN_USE", "address", "2001:db8:1::1");
  check(!has_link("dfj2"), "a refused jail leaves no link");
  const Addresses others("10.1.0.2", "2001:db8:1::2");
  set_up("dfj2", two, others);
  check_all_reachable(host, two, others);
  check(reaches(host, one.net.get(), "10.1.0.1"), "the first jail still works (IPv4)");
  check(reaches(host, one.net.get(), "2001:db8:1::1"), "the first jail still works (IPv6)");
}

void host_has_it(int) {
  const Jail jail = make_jail();
  const char* const texts[] = {kHostIPv4, kHostIPv6, "169.254.1.1", "fe80::1"};
  for (const char* text : texts) {
    Error error;
    const bool done =
        connect_jail(kLink, jail, Addresses("10.1.0.1", "2001:db8:1::1", text), &error);
    check_refused(done, error, "ERR_JAIL_ADDRESS_IN_USE", "address", text);
    check(!has_link(kLink), "no link is left");
  }
}

// Gives lo 192.168.7.1/24 (the old request takes the length from the class).
void host_has_network() {
  ifreq request = {};
  sockaddr_storage address;
  to_sockaddr("192.168.7.1", 0, 0, &address);
  memcpy(request.ifr_name, "lo:1", 5);
  memcpy(&request.ifr_addr, &address, sizeof request.ifr_addr);
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (ioctl(fd.get(), SIOCSIFADDR, &request) < 0) give_up("SIOCSIFADDR");
}

void broadcast(int) {
  host_has_network();
  const Jail jail = make_jail();
  Error error;
  const bool done = connect_jail(kLink, jail, Addresses("10.1.0.1", "192.168.7.255"), &error);
  check_refused(done, error, "", "address", "192.168.7.255");
  check(error.number == EADDRNOTAVAIL, "EADDRNOTAVAIL");
  check(!has_link(kLink), "no link is left");
}

void link_exists(int host) {
  const Jail one = make_jail();
  const Jail two = make_jail();
  set_up(kLink, one, Addresses("10.1.0.1"));
  Error error;
  const bool done = connect_jail(kLink, two, Addresses("10.1.0.2"), &error);
  check_refused(done, error, "", "link", kLink);
  check(error.number == EEXIST, "a link of that name is EEXIST");
  check(reaches(host, one.net.get(), "10.1.0.1"), "somebody else's link is left alone");
}

void disconnect(int host) {
  const Jail jail = make_jail();
  const Addresses addresses("10.1.0.1", "2001:db8:1::1");
  for (int i = 0; i < 2; i++) {
    Error error;
    set_up(kLink, jail, addresses);
    check(has_link(kLink) && count_routes(kLink) >= 2, "there is a link with routes");
    check_all_reachable(host, jail, addresses);
    check_done(dfjail::disconnect_host(kLink, &error), error, "disconnect_host");
    check(!has_link(kLink), "no link is left");
    check(count_routes(kLink) == 0, "no route is left");
    check_done(dfjail::disconnect_host(kLink, &error), error, "disconnect_host of nothing");
    const Visit visit(jail.net.get());
    check(!has_link("jail0"), "the jail's end is gone too");
  }
}

void many(int host) {
  const Jail jail = make_jail();
  Addresses addresses;
  char text[64];
  for (int i = 0; i < 128; i++) {
    snprintf(text, sizeof text, "10.1.1.%d", i + 1);
    addresses.add(text);
    snprintf(text, sizeof text, "2001:db8:1::%x", i + 1);
    addresses.add(text);
  }
  set_up(kLink, jail, addresses);
  check_all_reachable(host, jail, addresses);
  // Every single one refused: no answer may be lost, and the first one is told.
  const Jail two = make_jail();
  Error error;
  const bool done = connect_jail("dfj2", two, addresses, &error);
  check_refused(done, error, "ERR_JAIL_ADDRESS_IN_USE", "address", "10.1.1.1");
  check(!has_link("dfj2"), "no link is left");
}

void sixty_four(int host) {
  const Jail jail = make_jail();
  Addresses addresses;
  char text[64];
  for (int i = 0; i < 64; i++) {
    snprintf(text, sizeof text, i % 2 == 0 ? "10.1.2.%d" : "2001:db8:2::%d", i + 1);
    addresses.add(text);
  }
  set_up(kLink, jail, addresses);
  check_all_reachable(host, jail, addresses);
}

void loopback_only(int host) {
  const Jail jail = make_jail();
  const Addresses addresses("127.0.0.1", "127.0.0.5", "::1");
  set_up(kLink, jail, addresses);
  check(!has_link(kLink), "no link is needed");
  const char* const texts[] = {"127.0.0.1", "127.0.0.5", "::1"};
  for (const char* text : texts) {
    check(reaches(jail.net.get(), jail.net.get(), text), "the jail reaches itself at", text);
    check(!reaches(host, jail.net.get(), text), "the host does not reach the jail's", text);
  }
  check(!reaches(jail.net.get(), host, "127.0.0.1"),
        "the jail does not reach the host's 127.0.0.1");
}

void loopback_and_linked(int host) {
  const Jail jail = make_jail();
  set_up(kLink, jail, Addresses("127.0.0.1", "::1", "10.1.0.1", "2001:db8:1::1"));
  check(reaches(jail.net.get(), host, kHostIPv4, "10.1.0.1"),
        "the default route's source is no loopback address");
  check(reaches(jail.net.get(), host, kHostIPv6, "2001:db8:1::1"), "of either family");
  check(reaches(jail.net.get(), jail.net.get(), "127.0.0.1"), "127.0.0.1 works");
  check(reaches(jail.net.get(), jail.net.get(), "::1"), "::1 works");
}

void unlinked(int host) {
  const Jail jail = make_jail();
  const Addresses addresses("10.1.0.1", "2001:db8:1::1", "127.0.0.1");
  Error error;
  check_done(configure(jail, addresses, false, &error), error, "configure_jail");
  check_done(configure(jail, Addresses("fe80::5", "10.1.0.1"), false, &error), error,
             "configure_jail, link-local");
  const char* const texts[] = {"10.1.0.1", "2001:db8:1::1", "127.0.0.1"};
  for (const char* text : texts) {
    check(reaches(jail.net.get(), jail.net.get(), text), "the jail reaches itself at", text);
  }
  check(!reaches(host, jail.net.get(), "10.1.0.1"), "the host does not reach it");
  error = Error{};
  const Jail other = make_jail();
  const bool done = configure(other, addresses, true, &error);
  check_refused(done, error, "", "link", "jail0");
  check(error.number == ENODEV, "linked without a link is ENODEV");
}

void families(int) {
  const Jail four = make_jail();
  set_up(kLink, four, Addresses("10.1.0.1"));
  check(try_bind(four.net.get(), "::1") == EADDRNOTAVAIL, "an IPv4-only jail cannot bind ::1");
  check(try_bind(four.net.get(), "127.0.0.1") == 0, "but 127.0.0.1");
  const Jail six = make_jail();
  set_up("dfj2", six, Addresses("2001:db8:1::1"));
  check(try_bind(six.net.get(), "127.0.0.1") == EADDRNOTAVAIL,
        "an IPv6-only jail cannot bind 127.0.0.1");
  check(try_bind(six.net.get(), "::1") == 0, "but ::1");
  check(try_bind(six.net.get(), "2001:db8:1::2") == EADDRNOTAVAIL,
        "nor an address that is not its own");
}

// Sends a datagram from an address that the jail does not have.
void send_forged(int netns, const char* source, const char* destination) {
  const Visit visit(netns);
  sockaddr_storage address;
  const int link = static_cast<int>(if_nametoindex("jail0"));
  const socklen_t size = to_sockaddr(source, 0, link, &address);
  const bool ipv4 = address.ss_family == AF_INET;
  const UniqueFd fd(socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  if (setsockopt(fd.get(), ipv4 ? IPPROTO_IP : IPPROTO_IPV6,
                 ipv4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, &yes, sizeof yes) < 0)
    give_up("IP_TRANSPARENT");
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) < 0) give_up("bind");
  const socklen_t to = to_sockaddr(destination, kPort, link, &address);
  if (sendto(fd.get(), "x", 1, 0, reinterpret_cast<sockaddr*>(&address), to) != 1)
    give_up("sendto");
}

// The host's end has none of its own settings in the way of anything.
void loosen(const char* link) {
  for (const char* name : {"all", link}) {
    char path[64];
    snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/rp_filter", name);
    const UniqueFd setting(open(path, O_WRONLY | O_CLOEXEC));
    if (write(setting.get(), "0", 1) != 1) give_up("rp_filter");
  }
}

void check_forged(const Jail& jail, const char* own, const char* foreign, const char* host) {
  sockaddr_storage address;
  const socklen_t size =
      to_sockaddr(host, kPort, static_cast<int>(if_nametoindex(kLink)), &address);
  const UniqueFd listener(socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) < 0) give_up("bind");
  pollfd ready = {listener.get(), POLLIN, 0};
  char byte;
  send_forged(jail.net.get(), foreign, host);
  check(poll(&ready, 1, 100) == 0, "a packet from a foreign address does not arrive");
  send_forged(jail.net.get(), own, host);
  check(poll(&ready, 1, 100) == 1 && read(listener.get(), &byte, 1) == 1, "one from its own does");
}

void forged_source(int) {
  const Jail jail = make_jail();
  const Addresses addresses("10.1.0.1", "10.1.0.2", "2001:db8:1::1", "2001:db8:1::2", "fe80::5");
  set_up(kLink, jail, addresses);
  check_forged(jail, "10.1.0.1", "10.99.0.1", kHostIPv4);
  Error error;
  check_done(dfjail::filter_link(kLink, addresses.list, addresses.count, &error), error,
             "filter_link");
  loosen(kLink);
  for (const char* own : {"10.1.0.1", "10.1.0.2"}) check_forged(jail, own, "10.99.0.1", kHostIPv4);
  for (const char* own : {"2001:db8:1::1", "2001:db8:1::2", "fe80::5"}) {
    for (const char* foreign : {"2001:db8:1::3", "2001:db8:2::1", "fe80::6"})
      check_forged(jail, own, foreign, kHostIPv6);
  }
}

// A program for 256 of them is as long as it may become.
void many_sources(int) {
  Addresses addresses;
  char text[INET6_ADDRSTRLEN];
  for (unsigned i = 0; i < 256; i++) {
    snprintf(text, sizeof text, "2001:db8:1::%x", i + 1);
    addresses.add(text);
  }
  const Jail jail = make_jail();
  set_up(kLink, jail, addresses);
  Error error;
  check_done(dfjail::filter_link(kLink, addresses.list, addresses.count, &error), error,
             "filter_link");
  check_forged(jail, "2001:db8:1::1", "2001:db8:1::101", kHostIPv6);
  check_forged(jail, text, "2001:db8:1:1::100", kHostIPv6);
}

void send_advertisement(int netns) {
  const Visit visit(netns);
  const UniqueFd fd(socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6));
  const int hops = 255;
  setsockopt(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops);
  nd_router_advert advert = {};
  advert.nd_ra_type = ND_ROUTER_ADVERT;
  advert.nd_ra_router_lifetime = htons(1800);
  sockaddr_storage address;
  const socklen_t size =
      to_sockaddr("ff02::1", 0, static_cast<int>(if_nametoindex("jail0")), &address);
  const ssize_t sent =
      sendto(fd.get(), &advert, sizeof advert, 0, reinterpret_cast<sockaddr*>(&address), size);
  if (sent != sizeof advert) give_up("router advertisement");
}

void router_advertisement(int) {
  const Jail jail = make_jail();
  set_up(kLink, jail, Addresses("fe80::5", "2001:db8:1::1"));
  send_advertisement(jail.net.get());
  usleep(50000);
  check(count_lines("/proc/thread-self/net/ipv6_route", "fe800000000000000000000000000005") == 0,
        "the host does not route through the jail");
}

// As in most containers: then they are reached by a procfs of the monitor's own.
void locked_settings(int) {
  if (unshare(CLONE_NEWNS) < 0 || mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
      mount("/proc/sys", "/proc/sys", nullptr, MS_BIND, nullptr) < 0) {
    give_up("mount");
  }
  if (mount("", "/proc/sys", nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) < 0)
    give_up("remount");
  const char* setting = "/proc/sys/net/ipv6/conf/dfj1/accept_ra";
  const Jail jail = make_jail();
  set_up(kLink, jail, Addresses("10.1.0.1"));
  check(open(setting, O_WRONLY | O_CLOEXEC) < 0, "the setting is locked");
  char value = '?';
  const UniqueFd reader(open(setting, O_RDONLY | O_CLOEXEC));
  check(read(reader.get(), &value, 1) == 1 && value == '0', "the host's end ignores routers");
}

void no_ipv6(int host) {
  without_ipv6 = true;
  const Jail four = make_jail();
  set_up(kLink, four, Addresses("10.1.0.1"));
  check(reaches(host, four.net.get(), "10.1.0.1"), "an IPv4-only jail works without IPv6");
  const Jail six = make_jail();
  Error error;
  bool done = connect_jail("dfj2", six, Addresses("10.1.0.2", "2001:db8:1::1"), &error);
  check_refused(done, error, "ERR_JAIL_UNSUPPORTED", "address", "2001:db8:1::1");
  check(!has_link("dfj2"), "no link is left");
  error = Error{};
  done = configure(six, Addresses("2001:db8:1::1"), false, &error);
  check_refused(done, error, "ERR_JAIL_UNSUPPORTED", "address", "2001:db8:1::1");
}

void ipv6_switched_off(int host) {
  const UniqueFd setting(
      open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC));
  if (write(setting.get(), "1", 1) != 1) give_up("disable_ipv6");
  const Jail jail = make_jail();
  Error error;
  const bool done = connect_jail(kLink, jail, Addresses("10.1.0.1", "2001:db8:1::1"), &error);
  check_refused(done, error, "ERR_JAIL_UNSUPPORTED", "address", "fe80::1");
  set_up(kLink, jail, Addresses("10.1.0.1"));
  check(reaches(host, jail.net.get(), "10.1.0.1"), "an IPv4-only jail works");
}

size_t count_descriptors() {
  size_t count = 0;
  for (int fd = 0; fd < 256; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) count++;
  }
  return count;
}

void descriptors(int) {
  const Jail jail = make_jail();
  const size_t before = count_descriptors();
  Error error;
  set_up(kLink, jail, Addresses("10.1.0.1", "2001:db8:1::1"));
  connect_jail("dfj2", jail, Addresses("10.1.0.1"), &error);
  connect_jail("dfj2", jail, Addresses(kHostIPv4), &error);
  dfjail::disconnect_host(kLink, &error);
  check(count_descriptors() == before, "no descriptor is left open");
}

// ---- running

struct Case {
  const char* name;
  void (*run)(int host);
  bool bare;  // the host has no addresses of its own but loopback
};

const Case kCases[] = {
    {"TCP both ways on every address, at once", both_ways, false},
    {"the link carries as soon as it is made", link_at_once, false},
    {"IPv6 addresses are there at once", local_at_once, false},
    {"a host without addresses still reaches its jails", host_without_addresses, true},
    {"jail0 has the jail's addresses and no others", only_its_addresses, false},
    {"link-local addresses", link_local, false},
    {"addresses of another jail are in use", second_jail, false},
    {"addresses of the host are in use", host_has_it, false},
    {"a broadcast address", broadcast, false},
    {"a link of the same name", link_exists, false},
    {"disconnecting leaves nothing, and again is no error", disconnect, false},
    {"64 addresses", sixty_four, false},
    {"256 addresses, and 256 refusals", many, false},
    {"loopback addresses alone", loopback_only, false},
    {"loopback addresses beside others", loopback_and_linked, false},
    {"without a link, addresses are on lo", unlinked, false},
    {"a jail has the families of its addresses only", families, false},
    {"forged source addresses are dropped", forged_source, false},
    {"of 256 addresses, too", many_sources, false},
    {"router advertisements of a jail are ignored", router_advertisement, false},
    {"read-only /proc/sys", locked_settings, false},
    {"a kernel without IPv6", no_ipv6, true},
    {"IPv6 switched off", ipv6_switched_off, true},
    {"descriptors", descriptors, false},
};

int enter_host_namespace(bool bare) {
  if (unshare(CLONE_NEWNET) < 0) give_up("unshare (root is needed)");
  host_has("127.0.0.1");
  if (!bare) {
    host_has(kHostIPv4);
    host_has(kHostIPv6);
  }
  return open_self_netns();
}

bool run_case(const Case& test) {
  fflush(stdout);
  const pid_t pid = fork();
  if (pid == 0) {
    const UniqueFd host(enter_host_namespace(test.bare));
    test.run(host.get());
    fflush(stdout);
    _exit(failures == 0 ? 0 : 1);
  }
  int status;
  waitpid(pid, &status, 0);
  return status == 0;
}

int by_value(const void* a, const void* b) {
  const double x = *static_cast<const double*>(a);
  const double y = *static_cast<const double*>(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

void measure(const char* what, const Addresses& addresses) {
  constexpr size_t runs = 20;
  double up[runs];
  double inside[runs];
  double down[runs];
  for (size_t i = 0; i < runs; i++) {
    const Jail jail = make_jail();
    Error error;
    const double start = now_ms();
    check_done(connect_jail(kLink, jail, addresses, &error), error, "connect_host");
    up[i] = now_ms() - start;
    {
      const Visit visit(jail.net.get());
      const double began = now_ms();
      check_done(dfjail::configure_jail(addresses.list, addresses.count, true, &error), error,
                 "configure_jail");
      inside[i] = now_ms() - began;
    }
    const double end = now_ms();
    check_done(dfjail::disconnect_host(kLink, &error), error, "disconnect_host");
    down[i] = now_ms() - end;
  }
  qsort(up, runs, sizeof *up, by_value);
  qsort(inside, runs, sizeof *inside, by_value);
  qsort(down, runs, sizeof *down, by_value);
  printf(
      "# %s: connect_host %.2f ms, configure_jail %.2f ms, disconnect_host %.2f ms (median of "
      "%zu)\n",
      what, up[runs / 2], inside[runs / 2], down[runs / 2], runs);
}

int measure_all() {
  enter_host_namespace(false);
  measure("1 address", Addresses("10.1.0.1"));
  measure("2 + 2 addresses", Addresses("10.1.0.1", "10.1.0.2", "2001:db8:1::1", "2001:db8:1::2"));
  Addresses many;
  char text[64];
  for (int i = 0; i < 256; i++) {
    snprintf(text, sizeof text, i % 2 == 0 ? "10.1.2.%d" : "2001:db8:2::%d", i + 1);
    many.add(text);
  }
  measure("256 addresses", many);
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (geteuid() != 0) {
    printf("1..0 # SKIP network namespaces with links between them need root\n");
    return 0;
  }
  if (argc > 1 && strcmp(argv[1], "--time") == 0) return measure_all();
  constexpr size_t total = sizeof kCases / sizeof kCases[0];
  size_t failed = 0;
  printf("1..%zu\n", total);
  for (size_t i = 0; i < total; i++) {
    const bool good = run_case(kCases[i]);
    failed += good ? 0 : 1;
    printf("%s %zu - %s\n", good ? "ok" : "not ok", i + 1, kCases[i].name);
  }
  printf("# %zu passed, %zu failed, 0 skipped\n", total - failed, failed);
  return failed == 0 ? 0 : 1;
}
