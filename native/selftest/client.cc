#include "client.hh"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.hh"

namespace selftest {

using dfjail::Type;
using dfjail::Writer;

namespace {

constexpr uint64_t kUnlimited = ~0ULL;

uint32_t number_in(const unsigned char* bytes) {
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

size_t count_of(const char* const* list) {
  size_t n = 0;
  while (list[n] != nullptr) n++;
  return n;
}

void write_list(Writer* writer, const char* const* list) {
  const size_t n = count_of(list);
  writer->u32(static_cast<uint32_t>(n));
  for (size_t i = 0; i < n; i++) writer->str(list[i]);
}

void write_who(Writer* writer, const char* name, long id) {
  writer->u32(name != nullptr ? 1U : id >= 0 ? 2U : 0U);
  writer->str(name != nullptr ? name : "");
  writer->u32(id >= 0 ? static_cast<uint32_t>(id) : 0U);
}

[[noreturn]] void become_monitor(const char* monitor, int fd) {
  char* const argv[] = {const_cast<char*>("jail-monitor"), nullptr};
  char* const env[] = {nullptr};
  setsid();
  if (fd != 3) dup2(fd, 3);
  fcntl(3, F_SETFD, 0);
  for (int other = 4; other < 64; other++) close(other);
  execve(monitor, argv, env);
  _exit(126);
}

}  // namespace

void pause_for(int milliseconds) {
  const timespec pause = {milliseconds / 1000, static_cast<long>(milliseconds % 1000) * 1'000'000};
  nanosleep(&pause, nullptr);
}

bool Client::start(const char* monitor) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) return false;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  pid_ = fork();
  if (pid_ == 0) become_monitor(monitor, ends[1]);
  close(ends[1]);
  fd_.reset(ends[0]);
  return pid_ > 0;
}

bool Client::connect(const char* socket_path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
  fd_.reset(socket(AF_UNIX, SOCK_STREAM, 0));
  return fd_ &&
         ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

Client::~Client() {
  fd_.reset();
  if (pid_ > 0 && reap(8000) < 0) {
    check(false, "the monitor %d ends when its owner hangs up", static_cast<int>(pid_));
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

int Client::reap(int milliseconds) {
  for (int waited = 0; pid_ > 0 && waited <= milliseconds; waited += 5) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = 0;
      return status;
    }
    pause_for(5);
  }
  return pid_ > 0 ? -1 : 0;
}

bool Client::send_raw(const void* bytes, size_t size) {
  return ::send(fd_.get(), bytes, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
}

uint32_t Client::send(Writer* writer, const int* fds, size_t count) {
  size_t size;
  const unsigned char* frame = writer->frame(&size);
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 8)] = {};
  iovec bytes = {const_cast<unsigned char*>(frame), size};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = static_cast<socklen_t>(CMSG_SPACE(sizeof(int) * count));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = static_cast<socklen_t>(CMSG_LEN(sizeof(int) * count));
    memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
  }
  if (sendmsg(fd_.get(), &message, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) return 0;
  return last_;
}

bool Client::hello() {
  Writer writer(Type::kHello, ++last_);
  writer.u32(dfjail::kProtocolVersion);
  writer.u32(0);
  const uint32_t id = send(&writer);
  return receive(id).type == Type::kWelcome;
}

bool Client::read_some(int milliseconds) {
  pollfd wait = {fd_.get(), POLLIN, 0};
  if (poll(&wait, 1, milliseconds) <= 0) return false;
  const ssize_t n = recv(fd_.get(), in_ + used_, sizeof in_ - used_, 0);
  if (n <= 0) return false;
  used_ += static_cast<size_t>(n);
  return true;
}

bool Client::take(Message* message) {
  if (used_ < 12) return false;
  const size_t whole = number_in(in_) + 4U;
  if (used_ < whole) return false;
  message->arrived = true;
  message->type = static_cast<Type>(number_in(in_ + 4));
  message->id = number_in(in_ + 8);
  message->size = whole - 12 < sizeof message->payload ? whole - 12 : sizeof message->payload;
  memcpy(message->payload, in_ + 12, message->size);
  used_ -= whole;
  memmove(in_, in_ + whole, used_);
  return true;
}

Message Client::receive(uint32_t id, int milliseconds) {
  for (size_t i = 0; i < kept_count_; i++) {
    if (kept_[i].id != id) continue;
    const Message found = kept_[i];
    for (size_t j = i + 1; j < kept_count_; j++) kept_[j - 1] = kept_[j];
    kept_count_--;
    return found;
  }
  Message message;
  for (;;) {
    while (take(&message)) {
      if (message.id == id) return message;
      if (kept_count_ < sizeof kept_ / sizeof kept_[0]) kept_[kept_count_++] = message;
    }
    if (!read_some(milliseconds)) return Message();
  }
}

bool Client::ended(int milliseconds) {
  Message ignored;
  for (;;) {
    pollfd wait = {fd_.get(), POLLIN, 0};
    if (poll(&wait, 1, milliseconds) <= 0) return false;
    const ssize_t n = recv(fd_.get(), in_, sizeof in_, 0);
    if (n <= 0) return true;
  }
}

uint32_t Client::create(const char* state, const Spec& spec) {
  Writer writer(Type::kCreate, ++last_);
  writer.str(state);
  writer.str(spec.path);
  writer.str(spec.hostname);
  writer.str(spec.name);
  writer.u32(static_cast<uint32_t>(spec.address_count));
  for (size_t i = 0; i < spec.address_count; i++) writer.str(spec.addresses[i]);
  writer.u32(static_cast<uint32_t>(spec.address_count));
  for (size_t i = 0; i < spec.address_count; i++) writer.u32(0);
  writer.str(spec.interface);
  writer.u32(spec.capabilities);
  writer.u32(static_cast<uint32_t>(spec.mount_count));
  for (size_t i = 0; i < spec.mount_count; i++) {
    const dfjail::MountSpec& mount = spec.mounts[i];
    writer.u32(static_cast<uint32_t>(mount.type));
    writer.str(mount.target);
    writer.str(mount.source);
    writer.u32(mount.flags);
    writer.str(mount.options);
  }
  writer.u32(0);  // limits
  writer.u64(spec.memory);
  writer.u64(kUnlimited);
  writer.u32(spec.flags);
  return send(&writer);
}

uint32_t Client::attach(const char* state, uint32_t jid) {
  Writer writer(Type::kAttach, ++last_);
  writer.str(state);
  writer.u32(jid);
  return send(&writer);
}

uint32_t Client::spawn(const Program& program) {
  Writer writer(Type::kSpawn, ++last_);
  writer.str(program.argv[0]);
  write_list(&writer, program.argv);
  write_list(&writer, program.env);
  writer.str(program.cwd);
  write_who(&writer, program.user, program.uid);
  write_who(&writer, nullptr, program.gid);
  writer.u32(program.limit != nullptr ? 1U : 0U);
  if (program.limit != nullptr) {
    writer.u32(program.limit->resource);
    writer.u64(program.limit->soft);
    writer.u64(program.limit->hard);
  }
  writer.u32(program.flags);
  const size_t slots = program.stdio[3] >= 0 ? 4 : 3;
  int fds[4];
  size_t count = 0;
  writer.u32(static_cast<uint32_t>(slots));
  for (size_t i = 0; i < slots; i++) {
    writer.u32(program.stdio[i] >= 0 ? 2U : 1U);
    if (program.stdio[i] >= 0) fds[count++] = program.stdio[i];
  }
  writer.str("");
  writer.u32(0);  // groups
  return send(&writer, fds, count);
}

uint32_t Client::stop(uint32_t signal, uint32_t grace) {
  Writer writer(Type::kStop, ++last_);
  writer.u32(signal);
  writer.u32(grace);
  return send(&writer);
}

uint32_t Client::signal(uint32_t command, uint32_t number) {
  Writer writer(Type::kSignal, ++last_);
  writer.u32(command);
  writer.u32(number);
  return send(&writer);
}

uint32_t Client::capabilities(uint32_t bits) {
  Writer writer(Type::kCapabilities, ++last_);
  writer.u32(bits);
  return send(&writer);
}

Refusal refusal_of(const Message& message) {
  Refusal out;
  if (message.type != Type::kFailed) return out;
  dfjail::Reader reader = message.reader();
  out.number = reader.u32();
  snprintf(out.code, sizeof out.code, "%s", reader.str());
  snprintf(out.syscall, sizeof out.syscall, "%s", reader.str());
  snprintf(out.step, sizeof out.step, "%s", reader.str());
  snprintf(out.path, sizeof out.path, "%s", reader.str());
  snprintf(out.detail, sizeof out.detail, "%s", reader.str());
  return out;
}

}  // namespace selftest
