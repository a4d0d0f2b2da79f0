#pragma once

#include <stdint.h>

#include "backend.hh"
#include "command.hh"
#include "connection.hh"
#include "loop.hh"
#include "strays.hh"

namespace dfjail {

// One jail, the programs that talk about it, and the commands that run in it.
class Monitor {
 public:
  // `fd` is the connection to the program that started us.
  bool open(int fd);
  // Until the jail is gone or nobody is left who could want something of it. Returns the exit
  // status.
  int run();
  // In a child: see forget_secrets().
  void forget(const CommandSpec* keep);

 private:
  enum class Phase {
    kNew,  // no jail yet
    kRunning,
    kStopping,  // processes were asked to end
    kKilled,    // the anchor was killed; waiting for it and for our commands
    kLeaving,   // a guest goes: only its commands were killed
    kDone,
  };
  static constexpr uint32_t kMaxConnections = 32;
  // Microseconds.
  static constexpr int kMillisecond = 1000;
  static constexpr int kMaxPause = 50 * kMillisecond;
  static constexpr int kStrayPause = 250 * kMillisecond;
  static constexpr int kDesertedPause = 250 * kMillisecond;
  static constexpr int kLaunchPause = 1000;

  static void on_connection(void* monitor, void* thing, bool readable, bool writable);
  static void on_listener(void* monitor, void* thing, bool readable, bool writable);
  static void on_signal(void* monitor, void* thing, bool readable, bool writable);
  static void on_anchor(void* monitor, void* thing, bool readable, bool writable);
  static void on_launch(void* monitor, void* thing, bool readable, bool writable);
  static void on_exit(void* monitor, void* thing, bool readable, bool writable);

  // connections
  bool add_connection(int fd);
  void drop_connection(uint32_t slot);
  uint32_t slot_of(const Connection* connection) const;
  void read_connection(Connection* connection);
  bool handle(Connection* connection, const Frame& frame);
  void answer_error(Connection* connection, uint32_t id, const Error& error);
  void broadcast(uint32_t audience, Writer* writer);
  void tell_steps(Connection* connection);
  void send_all();

  // requests; false: not a message of the protocol, the connection ends
  bool hello(Connection* connection, const Frame& frame);
  bool create(Connection* connection, const Frame& frame);
  bool attach(Connection* connection, const Frame& frame);
  bool spawn(Connection* connection, const Frame& frame);
  bool signal(Connection* connection, const Frame& frame);
  bool stop(Connection* connection, const Frame& frame);
  bool set_capabilities(Connection* connection, const Frame& frame);

  bool watch_jail(Error* error);
  void take_back();
  void jail_is_ready(Connection* connection, uint32_t id);
  void send_ready(Connection* connection, uint32_t id);
  bool listen_for_others(Error* error);
  bool launch(Command* command, Error* error);
  void give_up_launch(Command* command, const Error& error);
  void refuse_launch(Command* command, const Error& error);
  Command* find_command(uint32_t id);
  Command* find_request(uint32_t request, uint32_t asker);
  void launched(Command* command);
  void watch_launches();
  void ended(Command* command);
  bool bury(Command* command);
  void bury_the_rest();
  void tell_of_end(const Command& command, const Ending& ending);
  void remove_command(Command* command);

  // the end
  void owner_is_gone(bool unheard);
  void kill();
  void leave();
  void kill_commands();
  void hasten(uint32_t grace);
  void look_whether_empty();
  void look_whether_deserted();
  bool may_be_deserted() const;
  bool is_waiting_for_commands() const;
  void look_whether_over();
  void finish();
  bool tell_who_is_left(Error* error) const;
  void tell_of_the_end(Connection* connection, const Error* error);
  int patience() const;

  Loop loop_;
  Phase phase_ = Phase::kNew;
  Jail jail_;
  Connection* connections_[kMaxConnections] = {};
  Command* commands_ = nullptr;
  uint32_t last_command_ = 0;
  uint32_t unreaped_ = 0;  // commands that have ended
  Strays strays_;
  Source listener_;
  Source signals_;
  Source anchor_;
  bool anchor_gone_ = false;
  bool until_empty_ = false;  // the jail ends with its last process
  bool known_ = false;        // somebody has spoken to us since the jail is ready
  bool was_used_ = false;     // it has had one
  timespec deadline_ = {};
  int pause_ = kMillisecond;  // between two looks
  uint32_t unwatched_ = 0;    // commands whose exec nobody waits for yet
};

}  // namespace dfjail
