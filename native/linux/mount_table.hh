#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

namespace dfjail {

// A line of /proc/PID/mountinfo.
struct MountLine {
  uint64_t id = 0;
  const char* device = "";  // "8:1": of the file system, the same for all its mounts
  const char* root = "";    // what of the file system is mounted
  const char* target = "";  // where, from the reader's root directory
  const char* type = "";    // of the file system

  // As stat(2) has it.
  dev_t number() const;
};

// The mounts of the reader's own namespace, as they are when it is read.
class MountTable {
 public:
  MountTable() = default;
  ~MountTable();
  MountTable(const MountTable&) = delete;
  MountTable& operator=(const MountTable&) = delete;
  // False and errno. By a procfs in which the reader has a pid: a directory, or -1 for /proc.
  bool read(int procfs = -1);
  // In the order of the kernel; `at` is 0 at first. False: there is none left. The texts of a line
  // are good until the next one is asked for.
  bool next(size_t* at, MountLine* line) const;
  bool find(uint64_t id, MountLine* line) const;

 private:
  char* text_ = nullptr;
  size_t size_ = 0;
};

// The mount that an open file is on; 0: it is not known.
uint64_t mount_of(int fd);

}  // namespace dfjail
