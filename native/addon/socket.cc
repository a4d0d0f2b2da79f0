#include "socket.hh"

#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <string>
#include <vector>

#include "../common/unique_fd.hh"
#include "arguments.hh"
#include "descriptors.hh"
#include "errors.hh"
#include "peer.hh"
#include "registry.hh"

namespace dfjail {
namespace {

constexpr size_t kMaxDescriptors = 64;  // a message, docs/monitor-protocol.md

// Whoever can write into the registry can put a socket there. The one that counts is that of the
// process that holds the jail's lock, which nobody in a jail can be.
bool is_monitor_of(int fd, const std::string& folder, uint32_t jid, bool* alive) {
  Registry registry;
  Error ignored;
  pid_t holder = 0;
  *alive = open_registry(folder, &registry, &ignored) && registry.locks &&
           is_alive(registry.locks.get(), jid, &holder);
  return *alive && is_monitor(fd, holder);
}

// The socket never waits: a monitor whose queue is full answers EAGAIN at once.
Napi::Value connect_monitor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::string path;
  std::string folder;
  int jid = 0;
  if (!get_text(info, 0, "path", &path) || !get_text(info, 1, "stateDir", &folder) ||
      !get_integer(info, 2, "jid", 1, INT32_MAX, &jid)) {
    return env.Undefined();
  }
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return throw_errno(env, "connect", path.c_str(), ENAMETOOLONG);
  }
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return throw_errno(env, "socket");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return throw_errno(env, "connect", path.c_str());
  }
  bool alive = false;
  if (!is_monitor_of(fd.get(), folder, static_cast<uint32_t>(jid), &alive)) {
    // One that ends meanwhile is as one that does not listen any more.
    return throw_errno(env, "connect", path.c_str(), alive ? EPERM : ECONNREFUSED);
  }
  return give(env, &fd);
}

void attach(msghdr* message, char* control, const std::vector<int>& fds) {
  const size_t size = fds.size() * sizeof(int);
  message->msg_control = control;
  message->msg_controllen = static_cast<decltype(message->msg_controllen)>(CMSG_SPACE(size));
  cmsghdr* header = CMSG_FIRSTHDR(message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = static_cast<decltype(header->cmsg_len)>(CMSG_LEN(size));
  memcpy(CMSG_DATA(header), fds.data(), size);
}

ssize_t send_message(int fd, const uint8_t* bytes, size_t size, const std::vector<int>& fds) {
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int))] = {};
  iovec part = {const_cast<uint8_t*>(bytes), size};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) attach(&message, control, fds);
  ssize_t sent;
  do {
    sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

int limit(size_t room) { return static_cast<int>(std::min<size_t>(room, INT_MAX)); }

// The descriptors go with the first byte: after a short send the rest is sent without them.
Napi::Value send_bytes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int fd = -1;
  std::vector<int> fds;
  const uint8_t* bytes = nullptr;
  size_t room = 0;
  int size = 0;
  // The bytes come after the descriptors: a getter among these could detach them.
  if (!get_descriptor(info, 0, "fd", &fd) ||
      !get_descriptors(info, 3, "fds", kMaxDescriptors, &fds) ||
      !get_bytes(info, 1, "bytes", &bytes, &room) ||
      !get_integer(info, 2, "size", 1, limit(room), &size)) {
    return env.Undefined();
  }
  const ssize_t sent = send_message(fd, bytes, static_cast<size_t>(size), fds);
  if (sent >= 0) return Napi::Number::New(env, static_cast<double>(sent));
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Napi::Number::New(env, 0);
  return throw_errno(env, "sendmsg");
}

}  // namespace

void define_socket(Napi::Env env, Napi::Object exports) {
  exports.Set("connectMonitor", Napi::Function::New(env, connect_monitor, "connectMonitor"));
  exports.Set("send", Napi::Function::New(env, send_bytes, "send"));
}

}  // namespace dfjail
