#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.hh"
#include "unique_fd.hh"

// The jails that this package made on this host, one folder a jail. Below the state directory:
//
// - mutex: flock'ed while jids and names are given out or taken back
// - locks: byte `jid` is locked (fcntl, so never inherited) by that jail's monitor: alive
// - next: the last jid given out, as text
// - names/NAME: a symbolic link to the jid
// - jails/JID/entry: what is known of the jail, `key value` lines; replaced whole by rename
// - jails/JID/socket: a persistent jail's monitor listens here
// - jails/JID/monitor.PID: a monitor that entered somebody else's jail
// - links: flock'ed by whoever deletes network links (Linux)
// - aliases: flock'ed by whoever adds or removes addresses of interfaces (DragonFly)
// - lingering/JID@BOOT: the entry of a jail that has ended while connections of the kernel's still
//   hold its jid (DragonFly)
namespace dfjail {

constexpr uint32_t kMaxJid = 999998;  // as jail(2): 1 … 999,998, then from 1 again
constexpr uint32_t kMaxPendingId =
    1'040'000;  // ids above kMaxJid stand for jails whose jid is not known yet
constexpr size_t kMaxName = 63;
constexpr size_t kMaxAddressText = size_t{256} * 40;

struct Entry {
  uint32_t jid = 0;
  char name[kMaxName + 1] = "";
  char hostname[257] = "";
  char path[4097] = "";
  char addresses[kMaxAddressText] = "";  // separated by a space
  char scopeids[256 * 11] = "";          // decimal, separated by a space, one per address
  char limits[512] = "";                 // resource:soft:hard, separated by a space
  char cgroup[512] = "";                 // folders of our cgroups, separated by a space
  char link[16] = "";                    // the host's end of the veth pair
  uint32_t capabilities = 0;
  uint32_t id_base = 0;   // the host's id of the jail's 0
  uint32_t id_count = 0;  // 1 when rootless: only id_base is mapped
  bool persist = false;
  bool no_new_privileges = false;  // for every command
  bool stopping = false;
  pid_t monitor = 0;
  pid_t anchor = 0;
  uint64_t pid_namespace = 0;  // inode of the anchor's
};

// Creates the state directory, the folders above it and its parts where missing; refuses one that
// is not ours or is a symbolic link. Returns a descriptor of it.
bool open_state(const char* dir, UniqueFd* state, Error* error);

// For a monitor: takes a jid (and the name) and holds it by a lock on `locks`, which must stay open
// for as long as the jail lives. entry->jid is filled in.
bool register_jail(int state, Entry* entry, UniqueFd* locks, Error* error);
// The same where the kernel gives out the jids and only after the name was taken and things were
// set up on the host: first under a pending id, which entry->jid then is, later under the jid. In
// between readers skip it (jid > kMaxJid); a dead one's folder, ledger and name are found and taken
// back like any other's.
bool register_pending(int state, Entry* entry, UniqueFd* locks, Error* error);
bool settle_jid(int state, Entry* entry, int locks, uint32_t jid, Error* error);
// The lowest free range of ids of its own for a jail made by root, held by the same `locks`
// descriptor.
bool take_id_range(int locks, Entry* entry, Error* error);
bool write_entry(int state, const Entry& entry, Error* error);
// The same in a file of another name, replaced whole; and back from there.
bool write_entry_to(int state, const char* file, const Entry& entry, Error* error);
bool read_entry_from(int state, const char* file, Entry* entry);
void unregister_jail(int state, const Entry& entry);
// For a monitor that entered a jail of somebody else.
void add_guest_monitor(int state, uint32_t jid);
void remove_guest_monitor(int state, uint32_t jid);

// For readers, who make nothing: *state and *locks stay empty where there is none, and nobody is
// alive then. `locks` is opened once per listing.
bool find_state(const char* dir, UniqueFd* state, Error* error);
bool find_locks(int state, UniqueFd* locks);
// For those who make jails or take them back.
bool open_locks(int state, UniqueFd* locks);
bool is_alive(int locks, uint32_t jid, pid_t* monitor);
// False when there is none, or one of another version of this package.
bool read_entry(int state, uint32_t jid, Entry* entry);
bool find_name(int state, const char* name, uint32_t* jid);
// Calls visit(context, jid) for every folder in jails/, dead ones included; false from visit ends
// it.
void each_jid(int state, bool (*visit)(void* context, uint32_t jid), void* context);
// Calls visit(context, name) for what a folder of the registry holds; false ends it.
void each_file(int state, const char* folder, bool (*visit)(void* context, const char* name),
               void* context);
// Monitors beside the owner, as pids; at most `max`. They may be gone or recycled: verify by pid
// namespace.
size_t guest_monitors(int state, uint32_t jid, pid_t* pids, size_t max);
// Takes a dead jail's name and folder away; what it left outside of the registry (cgroups) is the
// caller's to undo before. False and an error when something stayed.
bool sweep_jail(int state, uint32_t jid, Error* error);
// Takes away the names that no living jail has.
void sweep_names(int state);

}  // namespace dfjail
