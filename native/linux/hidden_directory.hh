#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "../common/error.hh"

namespace dfjail {

// Directories of the host's that no jail may see, whatever it shares with the host: the registry,
// and the temporary roots of dfjail. Who can write to the registry can answer the next Jail.open()
// in the place of a monitor, and an ordinary user's jail has that user's id.
class HiddenDirectories {
 public:
  HiddenDirectories() = default;
  HiddenDirectories(const HiddenDirectories&) = delete;
  HiddenDirectories& operator=(const HiddenDirectories&) = delete;
  // Looks where it is now.
  bool add(const char* path, Error* error);
  // The folder of the temporary roots of a user's, made if it is not there: a jail that shares
  // the directory above would else make it in its own way.
  void add_temporary_roots(uid_t user);
  // In the jail's mount namespace, before the host's tree is let go of: covers them wherever a
  // mount of the finished tree shows one, or a part of one, by whatever path.
  bool cover(int tree, Error* error) const;

 private:
  static constexpr size_t kMax = 2;
  struct Directory {
    char path[1024];
  };
  Directory directories_[kMax];
  size_t count_ = 0;
};

}  // namespace dfjail
