// The end of a jail, however it comes: asked for, by its owner's death, or from outside.
#include "monitor.hh"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "../common/steps.hh"
#include "signals.hh"

namespace dfjail {
namespace {

constexpr int kUndoPatience = 5000;  // milliseconds for the owner to take its jail back

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

// Who asks for little patience gets little, but the kernel needs a moment.
int patience_for(uint32_t grace) {
  constexpr uint32_t kLeast = 1000;
  constexpr uint32_t kMost = 3000;
  return static_cast<int>(grace < kLeast ? kLeast : grace > kMost ? kMost : grace);
}

bool is_before(const timespec& one, const timespec& other) {
  if (one.tv_sec != other.tv_sec) return one.tv_sec < other.tv_sec;
  return one.tv_nsec < other.tv_nsec;
}

bool is_past(const timespec& at) { return !is_before(in_milliseconds(0), at); }

}  // namespace

bool Monitor::stop(Connection* connection, const Frame& frame) {
  Reader reader = reader_of(frame);
  const int number = static_cast<int>(reader.u32());
  const uint32_t grace = reader.u32();
  if (!reader.finished() || phase_ == Phase::kNew) return false;
  if (connection->stop_count == Connection::kMaxStops) return false;
  connection->stop_requests[connection->stop_count++] = frame.id;
  if (connection->wants_steps) begin_steps();
  if (phase_ == Phase::kStopping) hasten(grace);
  if (phase_ != Phase::kRunning) return true;
  phase_ = Phase::kStopping;
  tell_activity(jail_, commands_ != nullptr, true);
  deadline_ = in_milliseconds(grace);
  jail_.patience = patience_for(grace);
  pause_ = kMillisecond;
  if (grace == 0 || (commands_ == nullptr && is_empty(jail_))) {
    kill();  // there is nobody who could be asked to end
    return true;
  }
  jail_.entry.stopping = true;
  Error ignored;
  if (jail_.owned) write_entry(jail_.state.get(), jail_.entry, &ignored);
  if (number != 0) signal_jail_processes(jail_, number);
  return true;
}

// Who asks again may have less patience, never more.
void Monitor::hasten(uint32_t grace) {
  if (grace == 0) return kill();
  const timespec sooner = in_milliseconds(grace);
  if (is_before(sooner, deadline_)) deadline_ = sooner;
}

int Monitor::patience() const {
  if (unwatched_ > 0) return kLaunchPause;
  if (phase_ == Phase::kStopping) return pause_;
  // Somebody else's jail has no descriptor that says when its owner has put it away.
  if (phase_ == Phase::kKilled && anchor_gone_ && !jail_.owned) return pause_;
  if (unreaped_ > 0 || is_waiting_for_commands()) return kMaxPause;
  if (!strays_.empty()) return kStrayPause;
  return may_be_deserted() ? kDesertedPause : -1;
}

void Monitor::look_whether_empty() {
  if (phase_ != Phase::kStopping) return;
  if ((commands_ == nullptr && is_empty(jail_)) || is_past(deadline_)) return kill();
  pause_ = pause_ * 2 > kMaxPause ? kMaxPause : pause_ * 2;
}

bool Monitor::may_be_deserted() const {
  return until_empty_ && was_used_ && commands_ == nullptr && phase_ == Phase::kRunning;
}

// What the commands have left behind ends without a word to us.
void Monitor::look_whether_deserted() {
  if (is_empty(jail_)) kill();
}

void Monitor::kill() {
  step_done("signal");
  phase_ = Phase::kKilled;
  tell_activity(jail_, commands_ != nullptr, true);
  pause_ = kMillisecond;
  kill_jail(&jail_);
  // Somebody else's jail without a monitor may be held by something that nobody takes back.
  const bool has_monitor = jail_.owned || jail_.entry.monitor > 0;
  deadline_ = in_milliseconds(static_cast<uint32_t>(has_monitor ? kUndoPatience : jail_.patience));
}

void Monitor::kill_commands() {
  for (Command* c = commands_; c != nullptr; c = c->next) signal_command(c->started, SIGKILL);
}

void Monitor::leave() {
  phase_ = Phase::kLeaving;
  deadline_ = in_milliseconds(kUndoPatience);
  kill_commands();
}

// The program that started us is gone. What it made without `persist` goes with it; and what it
// made with that but never heard of, where nobody else has come for it: it would stay for ever.
void Monitor::owner_is_gone(bool unheard) {
  if (phase_ == Phase::kNew) {
    phase_ = Phase::kDone;
  } else if (!jail_.owned) {
    if (phase_ != Phase::kKilled) leave();
  } else if ((!jail_.entry.persist || (unheard && !known_)) && phase_ != Phase::kKilled) {
    kill();
  }
  was_used_ = true;  // nobody is left to run the first command
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

// Their end comes by itself, as a rule: not while a debugger of the host has them.
bool Monitor::is_waiting_for_commands() const {
  return commands_ != nullptr && (phase_ == Phase::kKilled || phase_ == Phase::kLeaving);
}

void Monitor::look_whether_over() {
  if (is_waiting_for_commands() && is_past(deadline_)) return finish();
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
  step_done("kill");
  if (jail_.owned) {
    undone = undo_jail(&jail_, &error);
  } else {
    undone = phase_ != Phase::kKilled || is_undone(jail_);
    if (!undone) fail(&error, "kill", "jail", jail_.entry.path, EBUSY);
    remove_guest_monitor(jail_.state.get(), jail_.entry.jid);
  }
  if (commands_ != nullptr && phase_ == Phase::kKilled) undone = tell_who_is_left(&error);
  for (Connection* connection : connections_) {
    if (connection == nullptr) continue;
    tell_of_the_end(connection, undone ? nullptr : &error);
    connection->drain();
  }
  phase_ = Phase::kDone;
}

// A killed command whose end nobody sees. False, and an error that says why.
bool Monitor::tell_who_is_left(Error* error) const {
  const pid_t pid = commands_->started.pid;
  const pid_t tracer = tracer_of(pid);
  fail(error, "kill", "kill", commands_->spec.file, EBUSY);
  if (tracer > 0) {
    snprintf(error->detail, sizeof error->detail,
             "Process %d was killed but has not ended, since process %d of the host traces it: end "
             "that one, or have it let go.",
             static_cast<int>(pid), static_cast<int>(tracer));
  } else {
    snprintf(error->detail, sizeof error->detail,
             "Process %d was killed but has not ended: it waits in the kernel.",
             static_cast<int>(pid));
  }
  return false;
}

// To each who asked, and to those who did not.
void Monitor::tell_of_the_end(Connection* connection, const Error* error) {
  if (!connection->is_stopping()) {
    Writer writer(Type::kGone, 0);
    writer.str("the jail ended");
    return connection->send(&writer);
  }
  tell_steps(connection);
  for (size_t i = 0; i < connection->stop_count; i++) {
    const uint32_t request = connection->stop_requests[i];
    if (error != nullptr) {
      answer_error(connection, request, *error);
      continue;
    }
    Writer writer(Type::kStopped, request);
    connection->send(&writer);
  }
}

}  // namespace dfjail
