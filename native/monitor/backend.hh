#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "../common/error.hh"
#include "../common/registry.hh"
#include "../common/unique_fd.hh"
#include "identity.hh"
#include "spec.hh"

// What an operating system has to provide to the monitor: one folder each (native/linux,
// native/dragonfly) implements this header, and the build picks it.
namespace dfjail {

// A jail that this monitor made or entered. Live handles; what is known of it is its registry
// entry.
struct Jail {
  Entry entry;
  bool owned = false;     // made here: undone here
  bool filtered = false;  // owned: on its link the sources of its packets are
  UniqueFd state;         // the registry's folder
  UniqueFd locks;         // owned: keeps the entry alive
  UniqueFd lifeline;      // owned: what holds the jail; the anchor goes when this is closed
  UniqueFd anchor;        // readable when the jail may have ended: has_ended() says
  UniqueFd root;          // the jail's root directory, for its own files
  UniqueFd cgroups[2];    // cgroup.procs files that commands join
  int patience = 3000;    // milliseconds that whatever else may hold the jail is waited for
  size_t limit_count = 0;
  Limit limits[kMaxLimits];  // every command's, before its own
};

// A command between fork and exec.
struct Launch;

struct Started {
  pid_t pid = 0;
  UniqueFd exited;    // readable when it has ended
  UniqueFd launched;  // ends when exec succeeded or the command failed before
  UniqueFd terminal;  // keeps its terminal open, see hold_terminal()
  Launch* launch = nullptr;
};

// The monitor's first act: puts right what the way in which it was started has left.
void begin_monitor();

// Makes the jail, step by step; on failure everything done is undone.
bool create_jail(const JailSpec& spec, Jail* jail, Error* error);
// Enters a running jail that somebody else made.
bool attach_jail(const char* state_dir, uint32_t jid, Jail* jail, Error* error);
// For a jail that runs. False and an error where it cannot be done.
bool change_capabilities(Jail* jail, uint32_t capabilities, Error* error);

// The command, its identity and the descriptors must live until the launch is finished.
bool start_command(Jail* jail, const CommandSpec& command, const Identity& identity,
                   const int* descriptors, Started* started, Error* error);
// To be called when `launched` is readable or has ended: was exec reached?
bool finish_launch(Started* started, const char* file, pid_t* jail_pid, Error* error);
// After exec; or, if that failed, after the child has been reaped: it may still be on its stack.
void free_launch(Started* started);
// As kill(2), without the risk of a recycled pid.
bool signal_command(const Started& started, int signal);
// `exited` is readable: the wait status, where the kernel tells it without a wait. To be asked
// once.
bool exit_status(const Started& started, int* status);
// Who traces the process, as far as can be told; 0: nobody.
pid_t tracer_of(pid_t pid);

// Where the last close of a terminal waits until its output has been read: a descriptor of the
// command's, opened anew, that keeps any other close from being the last one and does not wait
// itself. None elsewhere.
UniqueFd hold_terminal(int terminal);

// For backends whose children get a copy of the monitor's memory, to be called in the child before
// it enters the jail: wipes what belongs to other commands and other programs. The monitor
// implements it. Null: nothing is kept.
void forget_secrets(const CommandSpec* keep);

// More of a jail's file is not read. It may have grown since it was opened.
constexpr off_t kMaxJailFile = 1 << 20;
// Opens a regular file of at most that size inside the jail, never leaving its root and never
// waiting.
int open_in_jail(const Jail& jail, const char* path);

// Does a login here take limits, umask, priority and environment from login.conf(5)?
bool has_login_classes();

// For whoever lists jails: does a command of ours run, is the jail about to end? Told whenever one
// of the two changes.
void tell_activity(const Jail& jail, bool running, bool stopping);

// No process but the anchor.
bool is_empty(const Jail& jail);
// Every process in it, in one pass of the kernel.
void signal_jail_processes(const Jail& jail, int signal);
// Ends it, whatever runs in it; `anchor` becomes readable when all are gone.
void kill_jail(Jail* jail);
// `anchor` is readable: is the jail over? Reaps what has to be reaped.
bool has_ended(Jail* jail);
// After that: takes back what was set up on the host, in reverse order.
bool undo_jail(Jail* jail, Error* error);
// Has a jail that we only entered been taken back by its owner?
bool is_undone(const Jail& jail);

}  // namespace dfjail
