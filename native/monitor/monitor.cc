#include "monitor.hh"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <new>

#include "../common/steps.hh"
#include "signals.hh"

namespace dfjail {

bool Monitor::open(int fd) {
  signals_ = {open_signals(), this, nullptr, on_signal};
  return loop_.open() && signals_.fd >= 0 && loop_.watch(&signals_) && add_connection(fd);
}

int Monitor::run() {
  while (phase_ != Phase::kDone) {
    loop_.turn(patience());
    watch_launches();
    bury_the_rest();
    if (phase_ == Phase::kStopping) look_whether_empty();
    if (may_be_deserted()) look_whether_deserted();
    look_whether_over();
    send_all();
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
  connection->push(&loop_);
  for (Command* c = commands_; c != nullptr; c = c->next) {
    c->audience &= ~bit;
    if (c->asker != bit) continue;
    c->asker = 0;
    if (until_empty_) signal_command(c->started, SIGKILL);  // it would have been that program
  }
  loop_.forget(&connection->source);
  connection->~Connection();
  free(connection);
  connections_[slot] = nullptr;
}

void Monitor::broadcast(uint32_t audience, Writer* writer) {
  for (uint32_t i = 0; i < kMaxConnections; i++) {
    if ((audience >> i & 1U) != 0 && connections_[i] != nullptr) connections_[i]->send(writer);
  }
}

// What was said in one turn of the loop goes out at once: whoever listens is woken once.
void Monitor::send_all() {
  for (Connection* connection : connections_) {
    if (connection != nullptr) connection->push(&loop_);
  }
}

void Monitor::answer_error(Connection* connection, uint32_t id, const Error& error) {
  Writer writer(Type::kFailed, id);
  encode_error(&writer, error);
  connection->send(&writer);
}

// What has been noted since begin_steps().
void Monitor::tell_steps(Connection* connection) {
  if (the_steps == nullptr || !connection->wants_steps) return;
  Writer writer(Type::kSteps, 0);
  uint32_t count = 0;
  each_step([&count](const Steps::Note&) { count++; });
  writer.u32(count);
  each_step([&writer](const Steps::Note& note) {
    char step[sizeof note.step];
    copy_text(step, note.step);
    writer.str(step);
    writer.u64(note.nanoseconds);
  });
  connection->send(&writer);
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
  connection->push(&loop_);
  const bool unheard = connection->unheard;
  drop_connection(slot_of(connection));
  if (first) owner_is_gone(unheard);
}

bool Monitor::handle(Connection* connection, const Frame& frame) {
  if (!connection->greeted && frame.type != Type::kHello) return false;
  if (phase_ != Phase::kNew) known_ = true;
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
