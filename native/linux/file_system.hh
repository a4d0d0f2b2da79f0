#pragma once

#include "../common/unique_fd.hh"

namespace dfjail {

// A file system of its own, mounted nowhere yet.
class FileSystem {
 public:
  explicit FileSystem(const char* type);
  void set(const char* key, const char* value);
  void set(const char* key, unsigned value);
  // Its mount, with MOUNT_ATTR_…; empty when anything before has failed.
  UniqueFd create(unsigned attributes);

 private:
  UniqueFd fd_;
  bool ok_;
};

// A procfs of the caller's pid namespace. `attributes`: further ones.
UniqueFd new_procfs(unsigned attributes);

}  // namespace dfjail
