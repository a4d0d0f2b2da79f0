#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "../common/error.hh"

namespace dfjail {

// A directory of the host's that no jail may see, whatever it shares with the host: the registry.
// Who can write there can answer the next Jail.open() in the place of a monitor, and an ordinary
// user's jail has that user's id.
class HiddenDirectory {
 public:
  HiddenDirectory() = default;
  HiddenDirectory(const HiddenDirectory&) = delete;
  HiddenDirectory& operator=(const HiddenDirectory&) = delete;
  // Looks where it is now: the way to it is known by its inodes, so that another path to one of
  // them, or a bind mount, is known too.
  bool find(const char* path, Error* error);
  // Its path below an open directory, "." for itself; null when it is not below that.
  const char* below(int directory) const;

 private:
  static constexpr size_t kMaxDepth = 64;
  struct Ancestor {
    dev_t device;
    ino_t inode;
    const char* rest;  // the path from there on
  };
  bool add(size_t end, const char* rest, Error* error);
  char path_[1024] = "";
  Ancestor ancestors_[kMaxDepth];
  size_t count_ = 0;
};

}  // namespace dfjail
