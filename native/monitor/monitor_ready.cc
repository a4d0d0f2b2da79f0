// From HELLO to a jail that is ready: create, attach, and the programs that come later.
#include "monitor.hh"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <new>

#include "../common/steps.hh"
#include "signals.hh"

namespace dfjail {
namespace {

// Only our own user and root may talk to the monitor of a persistent jail.
bool is_welcome(int fd) {
  uid_t uid = 0;
  return peer_uid(fd, &uid) && (uid == 0 || uid == geteuid());
}

// For as long as this process lives, which is as long as the jail does: nobody removes a temporary
// root that a jail still has, whatever registry that is in. Shared, and not waited for: a root may
// have several jails, and its owner may have a lock on it for reasons of its own.
void hold_root(const Jail& jail) {
  UniqueFd root(openat(jail.root.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root && flock(root.get(), LOCK_SH | LOCK_NB) == 0) root.release();
}

template <typename T>
T* make() {
  void* memory = calloc(1, sizeof(T));
  return memory == nullptr ? nullptr : ::new (memory) T();
}

}  // namespace

void Monitor::on_listener(void* monitor, void*, bool, bool) {
  Monitor* self = static_cast<Monitor*>(monitor);
  const int fd = accept4(self->listener_.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (is_welcome(fd)) {
    self->add_connection(fd);
  } else {
    ::close(fd);
  }
}

bool Monitor::hello(Connection* connection, const Frame& frame) {
  Reader reader = reader_of(frame);
  const uint32_t version = reader.u32();
  const uint32_t flags = reader.u32();
  if (!reader.finished() || version != kProtocolVersion) return false;
  connection->greeted = true;
  connection->wants_steps = (flags & kTellSteps) != 0;
  Writer writer(Type::kWelcome, frame.id);
  writer.u32(kProtocolVersion);
  writer.u32(static_cast<uint32_t>(getpid()));
  connection->send(&writer);
  return true;
}

bool Monitor::create(Connection* connection, const Frame& frame) {
  if (phase_ != Phase::kNew) return false;
  JailSpec* spec = make<JailSpec>();
  if (spec == nullptr) return false;
  Reader reader = reader_of(frame);
  const bool understood = decode_spec(&reader, spec);
  Error error;
  until_empty_ = understood && (spec->flags & JailSpec::kUntilEmpty) != 0;
  if (connection->wants_steps) begin_steps();
  const bool made = understood && create_jail(*spec, &jail_, &error) && watch_jail(&error) &&
                    listen_for_others(&error);
  free(spec);
  if (made) step_done("ready");
  tell_steps(connection);
  forget_steps();
  if (!understood) return false;
  if (made) {
    jail_is_ready(connection, frame.id);
    return true;
  }
  answer_error(connection, frame.id, error);
  take_back();
  connection->drain();
  phase_ = Phase::kDone;
  return true;
}

// What was made, but nobody could reach, or whose end nobody would notice.
void Monitor::take_back() {
  if (!jail_.owned || !jail_.anchor || !jail_.state) return;
  Error ignored;
  kill_jail(&jail_);
  has_ended(&jail_);
  undo_jail(&jail_, &ignored);
}

bool Monitor::attach(Connection* connection, const Frame& frame) {
  Reader reader = reader_of(frame);
  const char* state_dir = reader.str();
  const uint32_t jid = reader.u32();
  if (!reader.finished()) return false;
  if (phase_ != Phase::kNew) {  // a persistent jail's monitor is asked by the next program
    if (jail_.entry.jid != jid || !jail_.owned) return false;
    send_ready(connection, frame.id);
    return true;
  }
  Error error;
  if (connection->wants_steps) begin_steps();
  const bool attached = attach_jail(state_dir, jid, &jail_, &error) && watch_jail(&error);
  if (attached) step_done("enter");
  tell_steps(connection);
  forget_steps();
  if (attached) {
    jail_is_ready(connection, frame.id);
    return true;
  }
  answer_error(connection, frame.id, error);
  if (jail_.state) remove_guest_monitor(jail_.state.get(), jid);
  connection->drain();
  phase_ = Phase::kDone;
  return true;
}

bool Monitor::watch_jail(Error* error) {
  anchor_ = {jail_.anchor.get(), this, nullptr, on_anchor};
  return loop_.watch(&anchor_) || fail(error, "ready", kWatch);
}

void Monitor::jail_is_ready(Connection* connection, uint32_t id) {
  phase_ = Phase::kRunning;
  if (jail_.owned) hold_root(jail_);
  send_ready(connection, id);
}

void Monitor::send_ready(Connection* connection, uint32_t id) {
  const uint32_t bit = 1U << slot_of(connection);
  Writer writer(Type::kReady, id);
  writer.u32(jail_.entry.jid);
  writer.u32(static_cast<uint32_t>(jail_.entry.anchor));
  writer.u32(jail_.owned ? 1 : 0);
  uint32_t count = 0;
  for (Command* c = commands_; c != nullptr; c = c->next) count += c->running ? 1 : 0;
  writer.u32(count);
  for (Command* c = commands_; c != nullptr; c = c->next) {
    if (!c->running) continue;
    c->audience |= bit;
    writer.u32(c->id);
    writer.u32(static_cast<uint32_t>(c->started.pid));
    writer.u32(static_cast<uint32_t>(c->jail_pid));
    writer.u64(c->started_us);
    writer.str(c->spec.file);
    writer.u32(static_cast<uint32_t>(c->spec.argc));
    for (size_t i = 0; i < c->spec.argc; i++) writer.str(c->spec.argv[i]);
  }
  connection->send(&writer);
}

// Relative to the jail's folder: its whole path may be longer than an address can be.
bool Monitor::listen_for_others(Error* error) {
  if (!jail_.entry.persist) return true;
  char folder[64];
  snprintf(folder, sizeof folder, "jails/%u", jail_.entry.jid);
  const UniqueFd dir(openat(jail_.state.get(), folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) return fail(error, "ready", "open", folder);
  if (fchdir(dir.get()) < 0) return fail(error, "ready", "fchdir", folder);
  listener_.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_.fd < 0) return fail(error, "ready", "socket");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "socket");
  const mode_t before = umask(0177);
  const bool bound =
      bind(listener_.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int number = errno;
  umask(before);
  if (!bound) return fail(error, "ready", "bind", "socket", number);
  if (listen(listener_.fd, 16) < 0) return fail(error, "ready", "listen", "socket");
  if (chdir("/") < 0) return fail(error, "ready", "chdir", "/");
  listener_.monitor = this;
  listener_.ready = on_listener;
  return loop_.watch(&listener_) || fail(error, "ready", kWatch);
}

}  // namespace dfjail
