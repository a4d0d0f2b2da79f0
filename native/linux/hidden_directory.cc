#include "hidden_directory.hh"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/unique_fd.hh"

namespace dfjail {

bool HiddenDirectory::add(size_t end, const char* rest, Error* error) {
  if (count_ == kMaxDepth) return fail(error, "root", "stat", path_, ENAMETOOLONG);
  char prefix[sizeof path_];
  snprintf(prefix, sizeof prefix, "%.*s", static_cast<int>(end), path_);
  struct stat info;
  if (stat(prefix, &info) < 0) return fail(error, "root", "stat", path_);
  ancestors_[count_++] = {info.st_dev, info.st_ino, rest};
  return true;
}

bool HiddenDirectory::find(const char* path, Error* error) {
  const UniqueFd fd(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail(error, "root", "open", path);
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd.get());
  const ssize_t n = readlink(link, path_, sizeof path_ - 1);
  if (n <= 0) return fail(error, "root", "readlink", path);
  path_[n] = '\0';
  if (!add(1, path_ + 1, error)) return false;
  for (size_t at = 1; path_[at] != '\0'; at++) {
    if (path_[at] == '/' && !add(at, path_ + at + 1, error)) return false;
  }
  return add(static_cast<size_t>(n), ".", error);
}

const char* HiddenDirectory::below(int directory) const {
  struct stat info;
  if (fstat(directory, &info) < 0) return nullptr;
  for (size_t i = 0; i < count_; i++) {
    const Ancestor& ancestor = ancestors_[i];
    if (ancestor.device == info.st_dev && ancestor.inode == info.st_ino) return ancestor.rest;
  }
  return nullptr;
}

}  // namespace dfjail
