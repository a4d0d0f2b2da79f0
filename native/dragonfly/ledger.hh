#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../common/address.hh"
#include "../common/error.hh"
#include "../common/unique_fd.hh"
#include "mount.hh"

// What was set up on the host for a jail, in jails/<jid>/ledger, one line a thing, written before
// it is done and taken back in reverse order: by its monitor, or after that one's death by
// recover_jail().
//
// - boot S.US: when this boot's init was started; a ledger of another boot has nothing to undo
// - alias SCOPE INTERFACE ADDRESS; `ended` instead of `alias` when it was decided what becomes of
// it
// - folder PATH: made for a devfs outside of the jail
// - rules PATH: devfs rules bound to this name
// - mount TYPE PATH: about to be mounted
// - mounted A B PATH: it is, with this fsid
namespace dfjail {

bool open_ledger(int state, uint32_t id, UniqueFd* ledger, Error* error);
// The first line. Without it nothing else is written.
bool begin_ledger(int ledger, Error* error);
// One line. `before`: the length that it had, to be given to cut_ledger when the thing could not be
// done. A newline in it is refused.
bool write_ledger(int ledger, const char* kind, const char* rest, off_t* before, Error* error);
void cut_ledger(int ledger, off_t length);

struct Undoing {
  // One call for each thing; `error` is null when it was undone or was gone already.
  void (*report)(void* context, const char* what, const Error* error) = nullptr;
  void* context = nullptr;
};

// Takes everything back, last thing first, and keeps the lines of what could not be. True when none
// is left.
bool undo_ledger(int state, uint32_t id, const Undoing& undoing, Error* error);
// Does a ledger of this boot have this alias, in any registry of the host, but for that of the jail
// `id` of this one? Then its jail removes it. To be asked under the lock of aliases.
bool is_shared_alias(int state, uint32_t id, const char* interface, const Address& address);
// Did a living or a dead jail of this registry make this mount?
bool is_noted_mount(int state, const FsId& mount, uint32_t* id);
// The mounts in it, for those who have to tell them from mounts made inside the jail. How many, at
// most `max`.
size_t ledger_mounts(int state, uint32_t id, FsId* out, size_t max);

}  // namespace dfjail
