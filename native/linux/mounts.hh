#pragma once

#include "../common/error.hh"
#include "../common/unique_fd.hh"
#include "../monitor/spec.hh"
#include "hidden_directory.hh"

namespace dfjail {

// How the jail's ids look from the host, for mounts that carry owners.
struct IdMap {
  int user_namespace = -1;  // for idmapped mounts; -1 (rootless): the ids are the same
  uid_t base = 0;           // the host's id of the jail's root
};

// A private copy of the tree at `root` (an O_PATH directory, that of spec.path), with the jail's
// ids, without device files, and read-only if it is to be.
bool clone_root(int root, const JailSpec& spec, const IdMap& ids, UniqueFd* tree, Error* error);

// In the jail's own mount and pid namespace, still with the host's privileges: makes `tree` the
// root, mounts everything, and lets go of the host's tree. What is mounted here cannot be undone by
// a process of the jail, because the jail's user namespace gets a copy of this mount namespace.
// Where one of `hidden` would be seen, or other processes than the jail's in a procfs, there is an
// empty directory.
bool build_root(int tree, const JailSpec& spec, const IdMap& ids, const HiddenDirectories& hidden,
                Error* error);

}  // namespace dfjail
