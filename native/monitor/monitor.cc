#include "monitor.hh"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <new>

#include "signals.hh"

namespace dfjail {
namespace {

constexpr int kMaxPause = 50;        // milliseconds
constexpr int kUndoPatience = 5000;  // milliseconds for the owner to take its jail back
constexpr uint32_t kByRequest = 1U << 31;

timespec in_milliseconds(uint32_t milliseconds) {
  timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec += milliseconds / 1000;
  at.tv_nsec += static_cast<long>(milliseconds % 1000) * 1'000'000;
  if (at.tv_nsec >= 1'000'000'000) {
    at.tv_nsec -= 1'000'000'000;
    at.tv_sec++;
  }
  return at;
}

bool is_past(const timespec& at) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec > at.tv_sec || (now.tv_sec == at.tv_sec && now.tv_nsec >= at.tv_nsec);
}

uint64_t microseconds_since_1970() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

// Only our own user and root may talk to the monitor of a persistent jail.
bool is_welcome(int fd) {
  uid_t uid = 0;
  return peer_uid(fd, &uid) && (uid == 0 || uid == geteuid());
}

Reader reader_of(const Frame& frame) { return Reader(frame.payload, frame.size); }

bool take_descriptors(Connection* connection, Command* command) {
  for (size_t i = 0; i < command->spec.stdio_count; i++) {
    if (command->spec.stdio[i] != Slot::kPassed) continue;
    if (!connection->take_descriptors(&command->descriptors[i], 1)) return false;
  }
  return true;
}

bool refuse_stopped(const Command& command, Error* error) {
  return fail_with_code(error, "enter", "ERR_JAIL_STOPPED", command.spec.file,
                        "The jail is stopping or stopped.");
}

template <typename T>
T* make() {
  void* memory = calloc(1, sizeof(T));
  return memory == nullptr ? nullptr : ::new (memory) T();
}

}  // namespace

bool Monitor::open(int fd) {
  signals_ = {open_signals(), this, nullptr, on_signal};
  return loop_.open() && signals_.fd >= 0 && loop_.watch(&signals_) && add_connection(fd);
}

int Monitor::run() {
  while (phase_ != Phase::kDone) {
    loop_.turn(patience());
    bury_the_rest();
    if (phase_ == Phase::kStopping) look_whether_empty();
    look_whether_over();
  }
  return 0;
}

// ---- connections

bool Monitor::add_connection(int fd) {
  for (Connection*& slot : connections_) {
    if (slot != nullptr) continue;
    void* memory = calloc(1, sizeof(Connection));
    if (memory == nullptr) break;
    Connection* connection = ::new (memory) Connection(fd);
    connection->source = {fd, this, connection, on_connection};
    slot = connection;
    return loop_.watch(&connection->source);
  }
  ::close(fd);
  return false;
}

uint32_t Monitor::slot_of(const Connection* connection) const {
  uint32_t slot = 0;
  while (connections_[slot] != connection) slot++;
  return slot;
}

void Monitor::drop_connection(uint32_t slot) {
  Connection* connection = connections_[slot];
  const uint32_t bit = 1U << slot;
  for (Command* c = commands_; c != nullptr; c = c->next) {
    c->audience &= ~bit;
    if (c->asker == bit) c->asker = 0;
  }
  loop_.forget(&connection->source);
  connection->~Connection();
  free(connection);
  connections_[slot] = nullptr;
}

void Monitor::broadcast(uint32_t audience, Writer* writer) {
  for (uint32_t i = 0; i < kMaxConnections; i++) {
    if ((audience >> i & 1U) != 0 && connections_[i] != nullptr)
      connections_[i]->send(&loop_, writer);
  }
}

void Monitor::answer_error(Connection* connection, uint32_t id, const Error& error) {
  Writer writer(Type::kFailed, id);
  encode_error(&writer, error);
  connection->send(&loop_, &writer);
}

void Monitor::on_connection(void* monitor, void* thing, bool readable, bool writable) {
  Monitor* self = static_cast<Monitor*>(monitor);
  Connection* connection = static_cast<Connection*>(thing);
  if (writable && !connection->flush(&self->loop_))
    readable = true;  // the read will say that it is gone
  if (readable) self->read_connection(connection);
}

void Monitor::read_connection(Connection* connection) {
  bool alive = connection->receive();
  bool broken = false;
  Frame frame;
  while (!broken && connection->next(&frame, &broken)) broken = !handle(connection, frame);
  if (alive && !broken) return;
  const bool first = connection == connections_[0];
  drop_connection(slot_of(connection));
  if (first) owner_is_gone();
}

bool Monitor::handle(Connection* connection, const Frame& frame) {
  if (!connection->greeted && frame.type != Type::kHello) return false;
  switch (frame.type) {
    case Type::kHello:
      return hello(connection, frame);
    case Type::kCreate:
      return create(connection, frame);
    case Type::kAttach:
      return attach(connection, frame);
    case Type::kSpawn:
      return spawn(connection, frame);
    case Type::kSignal:
      return signal(connection, frame);
    case Type::kStop:
      return stop(connection, frame);
    case Type::kCapabilities:
      return set_capabilities(connection, frame);
    default:
      return false;
  }
}

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

// ---- hello, create, attach

bool Monitor::hello(Connection* connection, const Frame& frame) {
  Reader reader = reader_of(frame);
  const uint32_t version = reader.u32();
  reader.u32();
  if (!reader.finished() || version != kProtocolVersion) return false;
  connection->greeted = true;
  Writer writer(Type::kWelcome, frame.id);
  writer.u32(kProtocolVersion);
  writer.u32(static_cast<uint32_t>(getpid()));
  connection->send(&loop_, &writer);
  return true;
}

bool Monitor::create(Connection* connection, const Frame& frame) {
  if (phase_ != Phase::kNew) return false;
  JailSpec* spec = make<JailSpec>();
  if (spec == nullptr) return false;
  Reader reader = reader_of(frame);
  const bool understood = decode_spec(&reader, spec);
  Error error;
  const bool made = understood && create_jail(*spec, &jail_, &error) && listen_for_others(&error);
  free(spec);
  if (!understood) return false;
  if (made) {
    jail_is_ready(connection, frame.id);
    return true;
  }
  answer_error(connection, frame.id, error);
  if (jail_.owned && jail_.anchor && jail_.state) {  // made, but nobody could reach it
    kill_jail(&jail_);
    has_ended(&jail_);
    undo_jail(&jail_, &error);
  }
  connection->drain();
  phase_ = Phase::kDone;
  return true;
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
  if (attach_jail(state_dir, jid, &jail_, &error)) {
    jail_is_ready(connection, frame.id);
    return true;
  }
  answer_error(connection, frame.id, error);
  connection->drain();
  phase_ = Phase::kDone;
  return true;
}

void Monitor::jail_is_ready(Connection* connection, uint32_t id) {
  phase_ = Phase::kRunning;
  anchor_ = {jail_.anchor.get(), this, nullptr, on_anchor};
  loop_.watch(&anchor_);
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
  connection->send(&loop_, &writer);
}

// Relative to the jail's folder: its whole path may be longer than an address can be.
bool Monitor::listen_for_others(Error* error) {
  if (!jail_.entry.persist) return true;
  char folder[64];
  snprintf(folder, sizeof folder, "jails/%u", jail_.entry.jid);
  const UniqueFd dir(openat(jail_.state.get(), folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir || fchdir(dir.get()) < 0) return fail(error, "ready", "fchdir", folder);
  listener_.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof address.sun_path, "socket");
  const mode_t before = umask(0177);
  const bool bound =
      bind(listener_.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  umask(before);
  if (!bound || listen(listener_.fd, 16) < 0) return fail(error, "ready", "bind", "socket");
  if (chdir("/") < 0) return fail(error, "ready", "chdir", "/");
  listener_.monitor = this;
  listener_.ready = on_listener;
  return loop_.watch(&listener_) || fail(error, "ready", "watch");
}

// ---- commands

bool Monitor::spawn(Connection* connection, const Frame& frame) {
  Command* command = new_command(frame.payload, frame.size);
  if (command == nullptr) return false;
  command->request = frame.id;
  command->asker = 1U << slot_of(connection);
  command->audience = command->asker;
  if (!decode(command) || !take_descriptors(connection, command)) {
    free_command(command);
    return false;
  }
  Error error;
  if (launch(command, &error)) return true;
  answer_error(connection, frame.id, error);
  free_command(command);
  return true;
}

bool Monitor::launch(Command* command, Error* error) {
  if (phase_ != Phase::kRunning) return refuse_stopped(*command, error);
  if (!find_identity(jail_, command->spec, &command->identity, error)) return false;
  apply_login(command);
  clock_gettime(CLOCK_MONOTONIC, &command->started_at);
  command->started_us = microseconds_since_1970();
  if (!start_command(&jail_, command->spec, command->identity, command->descriptors,
                     &command->started, error))
    return false;
  close_descriptors(command);
  command->id = ++last_command_;
  command->launch_source = {command->started.launched.get(), this, command, on_launch};
  command->exit_source = {command->started.exited.get(), this, command, on_exit};
  command->next = commands_;
  commands_ = command;
  loop_.watch(&command->launch_source);
  loop_.watch(&command->exit_source);
  return true;
}

Command* Monitor::find_command(uint32_t id) {
  for (Command* c = commands_; c != nullptr; c = c->next) {
    if (c->id == id) return c;
  }
  return nullptr;
}

Command* Monitor::find_request(uint32_t request, uint32_t asker) {
  for (Command* c = commands_; c != nullptr; c = c->next) {
    if (c->request == request && c->asker == asker) return c;
  }
  return nullptr;
}

void Monitor::on_launch(void* monitor, void* thing, bool, bool) {
  static_cast<Monitor*>(monitor)->launched(static_cast<Command*>(thing));
}

void Monitor::on_exit(void* monitor, void* thing, bool, bool) {
  static_cast<Monitor*>(monitor)->ended(static_cast<Command*>(thing));
}

void Monitor::launched(Command* command) {
  loop_.forget(&command->launch_source);
  command->launch_source.fd = -1;
  Error error;
  const bool ok = finish_launch(&command->started, command->spec.file, &command->jail_pid, &error);
  command->failed = !ok;
  command->running = ok;
  if (!ok && error.number == EINTR && phase_ != Phase::kRunning) refuse_stopped(*command, &error);
  if (!ok) {  // reaped, and given back, when it has left our memory
    for (uint32_t i = 0; i < kMaxConnections; i++) {
      if (command->asker == 1U << i) answer_error(connections_[i], command->request, error);
    }
    return;
  }
  free_launch(&command->started);
  Writer writer(Type::kSpawned, command->request);
  writer.u32(command->id);
  writer.u32(static_cast<uint32_t>(command->started.pid));
  writer.u32(static_cast<uint32_t>(command->jail_pid));
  broadcast(command->asker, &writer);
  if (command->queued_signal != 0) signal_command(command->started, command->queued_signal);
}

void Monitor::ended(Command* command) {
  if (command->launch_source.fd >= 0) launched(command);
  loop_.forget(&command->exit_source);
  command->ended = true;
  if (!bury(command)) unreaped_++;
}

// Reaps an ended command, tells of it and forgets it. False while it cannot be reaped.
bool Monitor::bury(Command* command) {
  Ending ending;
  if (!reap_command(command, &ending)) return false;
  if (command->started.launch != nullptr) free_launch(&command->started);
  if (command->running) tell_of_end(*command, ending);
  remove_command(command);
  return true;
}

void Monitor::bury_the_rest() {
  for (Command* c = commands_; unreaped_ > 0 && c != nullptr;) {
    Command* next = c->next;
    if (c->ended && bury(c)) unreaped_--;
    c = next;
  }
}

void Monitor::tell_of_end(const Command& command, const Ending& ending) {
  Writer writer(Type::kExited, 0);
  writer.u32(command.id);
  writer.u32(static_cast<uint32_t>(ending.status));
  writer.u64(ending.user_us);
  writer.u64(ending.system_us);
  writer.u64(ending.max_rss);
  writer.u64(ending.wall_us);
  broadcast(command.audience, &writer);
}

void Monitor::remove_command(Command* command) {
  Command** at = &commands_;
  while (*at != command) at = &(*at)->next;
  *at = command->next;
  free_command(command);
}

bool Monitor::signal(Connection* connection, const Frame& frame) {
  Reader reader = reader_of(frame);
  const uint32_t which = reader.u32();
  const uint32_t number = reader.u32();
  if (!reader.finished()) return false;
  const bool by_request = (number & kByRequest) != 0;
  const int signal_number = static_cast<int>(number & ~kByRequest);
  Command* command =
      by_request ? find_request(which, 1U << slot_of(connection)) : find_command(which);
  Error error;
  if (command == nullptr || command->failed) {
    fail(&error, "signal", "kill", "", ESRCH);
  } else if (!command->running) {
    command->queued_signal = signal_number;
    // One that is stuck on its way can still be got rid of.
    if (signal_number == SIGKILL) signal_command(command->started, SIGKILL);
  } else if (command->ended) {
    fail(&error, "signal", "kill", "", ESRCH);
  } else if (!signal_command(command->started, signal_number)) {
    fail(&error, "signal", "kill");
  }
  if (error.failed()) {
    answer_error(connection, frame.id, error);
    return true;
  }
  Writer writer(Type::kDone, frame.id);
  connection->send(&loop_, &writer);
  return true;
}

bool Monitor::set_capabilities(Connection* connection, const Frame& frame) {
  Reader reader = reader_of(frame);
  const uint32_t capabilities = reader.u32();
  if (!reader.finished() || phase_ == Phase::kNew) return false;
  Error error;
  if (!change_capabilities(&jail_, capabilities, &error)) {
    answer_error(connection, frame.id, error);
    return true;
  }
  if (jail_.owned) write_entry(jail_.state.get(), jail_.entry, &error);
  Writer writer(Type::kDone, frame.id);
  connection->send(&loop_, &writer);
  return true;
}

// ---- the end

bool Monitor::stop(Connection* connection, const Frame& frame) {
  Reader reader = reader_of(frame);
  const int number = static_cast<int>(reader.u32());
  const uint32_t grace = reader.u32();
  if (!reader.finished() || phase_ == Phase::kNew) return false;
  connection->stopping = true;
  connection->stop_request = frame.id;
  if (phase_ != Phase::kRunning) return true;
  phase_ = Phase::kStopping;
  deadline_ = in_milliseconds(grace);
  pause_ = 1;
  jail_.entry.stopping = true;
  Error ignored;
  if (jail_.owned) write_entry(jail_.state.get(), jail_.entry, &ignored);
  if (number != 0 && grace != 0 && !is_empty(jail_)) signal_jail_processes(jail_, number);
  look_whether_empty();
  return true;
}

int Monitor::patience() const {
  if (phase_ == Phase::kStopping) return pause_;
  // Somebody else's jail has no descriptor that says when its owner has put it away.
  if (phase_ == Phase::kKilled && anchor_gone_ && !jail_.owned) return pause_;
  return unreaped_ > 0 ? kMaxPause : -1;
}

void Monitor::look_whether_empty() {
  if (phase_ != Phase::kStopping) return;
  if ((commands_ == nullptr && is_empty(jail_)) || is_past(deadline_)) return kill();
  pause_ = pause_ * 2 > kMaxPause ? kMaxPause : pause_ * 2;
}

void Monitor::kill() {
  phase_ = Phase::kKilled;
  pause_ = 1;
  deadline_ = in_milliseconds(kUndoPatience);
  kill_jail(&jail_);
}

void Monitor::kill_commands() {
  for (Command* c = commands_; c != nullptr; c = c->next) signal_command(c->started, SIGKILL);
}

void Monitor::leave() {
  phase_ = Phase::kLeaving;
  kill_commands();
}

// The program that started us is gone. What it made without `persist` goes with it.
void Monitor::owner_is_gone() {
  if (phase_ == Phase::kNew) {
    phase_ = Phase::kDone;
  } else if (!jail_.owned) {
    if (phase_ != Phase::kKilled) leave();
  } else if (!jail_.entry.persist && phase_ != Phase::kKilled) {
    kill();
  }
}

void Monitor::on_signal(void* monitor, void*, bool, bool) {
  Monitor* self = static_cast<Monitor*>(monitor);
  if (!is_termination(self->signals_.fd)) return;
  if (self->phase_ == Phase::kNew) self->phase_ = Phase::kDone;
  if (self->phase_ == Phase::kRunning || self->phase_ == Phase::kStopping) {
    self->jail_.owned ? self->kill() : self->leave();
  }
}

void Monitor::on_anchor(void* monitor, void*, bool, bool) {
  Monitor* self = static_cast<Monitor*>(monitor);
  if (!has_ended(&self->jail_)) return;
  self->loop_.forget(&self->anchor_);
  self->anchor_gone_ = true;
  if (self->phase_ == Phase::kLeaving) return;
  self->kill_commands();
  self->phase_ = Phase::kKilled;
  self->deadline_ = in_milliseconds(kUndoPatience);
}

void Monitor::look_whether_over() {
  if (commands_ != nullptr) return;
  if (phase_ == Phase::kLeaving) return finish();
  if (phase_ != Phase::kKilled) return;
  // A guest does not wait for ever: the jail may be held by something that it cannot see.
  if (!jail_.owned && is_past(deadline_)) return finish();
  if (!anchor_gone_) return;
  if (jail_.owned || is_undone(jail_)) return finish();
  pause_ = pause_ * 2 > kMaxPause ? kMaxPause : pause_ * 2;
}

void Monitor::finish() {
  Error error;
  bool undone = true;
  if (jail_.owned) {
    undone = undo_jail(&jail_, &error);
  } else {
    undone = phase_ != Phase::kKilled || is_undone(jail_);
    if (!undone) fail(&error, "kill", "jail", jail_.entry.path, EBUSY);
    remove_guest_monitor(jail_.state.get(), jail_.entry.jid);
  }
  for (Connection* connection : connections_) {
    if (connection == nullptr) continue;
    if (connection->stopping && !undone) {
      answer_error(connection, connection->stop_request, error);
    } else {
      Writer writer(connection->stopping ? Type::kStopped : Type::kGone, connection->stop_request);
      if (!connection->stopping) writer.str("the jail ended");
      connection->send(&loop_, &writer);
    }
    connection->drain();
  }
  phase_ = Phase::kDone;
}

void Monitor::forget(const CommandSpec* keep) {
  for (Connection* connection : connections_) {
    if (connection != nullptr) connection->wipe();
  }
  for (Command* c = commands_; c != nullptr; c = c->next) {
    if (&c->spec != keep) wipe_command(c);
  }
}

namespace {
Monitor* the_monitor = nullptr;
}

void forget_secrets(const CommandSpec* keep) {
  if (the_monitor != nullptr) the_monitor->forget(keep);
}

int run_monitor(int fd) {
  static Monitor monitor;
  the_monitor = &monitor;
  return monitor.open(fd) ? monitor.run() : 1;
}

}  // namespace dfjail
