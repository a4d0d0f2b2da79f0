// The commands: from SPAWN to EXITED.
#include "monitor.hh"

#include <errno.h>
#include <signal.h>

namespace dfjail {
namespace {

constexpr uint32_t kByRequest = 1U << 31;

uint64_t microseconds_since_1970() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

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

}  // namespace

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
  if (!apply_login(jail_, command, error)) return false;
  clock_gettime(CLOCK_MONOTONIC, &command->started_at);
  command->started_us = microseconds_since_1970();
  if ((command->spec.flags & CommandSpec::kTerminal) != 0)
    command->started.terminal = hold_terminal(command->descriptors[0]);
  if (!start_command(&jail_, command->spec, command->identity, command->descriptors,
                     &command->started, error))
    return false;
  close_descriptors(command);
  strays_.forget(command->started.pid);
  command->id = ++last_command_;
  command->launch_source = {command->started.launched.get(), this, command, on_launch};
  command->exit_source = {command->started.exited.get(), this, command, on_exit};
  command->next = commands_;
  commands_ = command;
  if (command->next == nullptr) tell_activity(jail_, true, phase_ == Phase::kStopping);
  if (loop_.watch(&command->exit_source)) {
    unwatched_++;
    return true;
  }
  fail(error, "enter", kWatch);
  give_up_launch(command, *error);
  return true;
}

// Nobody would notice its end: it is looked for until it is reaped.
void Monitor::give_up_launch(Command* command, const Error& error) {
  command->watched = true;
  command->launch_source.fd = -1;
  refuse_launch(command, error);
  command->ended = true;
  unreaped_++;
}

// Reaped, and given back, when it has left our memory.
void Monitor::refuse_launch(Command* command, const Error& error) {
  command->failed = true;
  signal_command(command->started, SIGKILL);  // it may be running, and nobody knows of it
  for (uint32_t i = 0; i < kMaxConnections; i++) {
    if (command->asker == 1U << i) answer_error(connections_[i], command->request, error);
  }
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

// Many commands are over in a moment: then the news of their start and of their end go together.
// Until exec has been waited for that long, nobody is woken by it.
void Monitor::watch_launches() {
  uint32_t left = unwatched_;
  for (Command* c = commands_; left > 0 && c != nullptr; c = c->next) {
    if (c->ended || c->watched) continue;
    left--;
    if (microseconds_since(c->started_at) < kLaunchPause) continue;
    if (!loop_.watch(&c->launch_source)) continue;  // the next turn tries again
    c->watched = true;
    unwatched_--;
  }
}

void Monitor::launched(Command* command) {
  if (command->watched) {
    loop_.forget(&command->launch_source);
  } else {
    command->watched = true;
    unwatched_--;
  }
  command->launch_source.fd = -1;
  Error error;
  const bool ok = finish_launch(&command->started, command->spec.file, &command->jail_pid, &error);
  command->running = ok;
  if (ok) was_used_ = true;
  if (!ok && error.number == EINTR && phase_ != Phase::kRunning) refuse_stopped(*command, &error);
  if (!ok) return refuse_launch(command, error);
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
  command->status_known = exit_status(command->started, &command->status);
  if (!bury(command)) unreaped_++;
}

// Reaps an ended command, tells of it and forgets it. False while it cannot be reaped.
bool Monitor::bury(Command* command) {
  Ending ending;
  const Reaped reaped = reap_command(command, &ending);
  if (reaped == Reaped::kNotYet) return false;
  if (reaped == Reaped::kTaken) strays_.add(command->started.pid);
  if (command->started.launch != nullptr) free_launch(&command->started);
  if (command->running) tell_of_end(*command, ending);
  remove_command(command);
  return true;
}

void Monitor::bury_the_rest() {
  strays_.reap();
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
  if (commands_ == nullptr) tell_activity(jail_, false, phase_ != Phase::kRunning);
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
  const bool gone = command == nullptr || command->failed || (command->running && command->ended);
  Error error;
  if (gone) {
    fail(&error, "signal", "kill", "", ESRCH);
  } else if (!command->running) {
    command->queued_signal = signal_number;
    // One that is stuck on its way can still be got rid of.
    if (signal_number == SIGKILL) signal_command(command->started, SIGKILL);
  } else if (!signal_command(command->started, signal_number)) {
    fail(&error, "signal", "kill");
  }
  if (error.failed()) {
    answer_error(connection, frame.id, error);
    return true;
  }
  Writer writer(Type::kDone, frame.id);
  connection->send(&writer);
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
  connection->send(&writer);
  return true;
}

}  // namespace dfjail
