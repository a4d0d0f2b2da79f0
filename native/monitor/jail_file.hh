#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/wipe.hh"
#include "backend.hh"

namespace dfjail {

// A file of the jail, whole, with a NUL behind. Its content is the jail's to choose, and may be
// secret to its users, who get at a child that is about to become one of them.
class JailFile {
 public:
  JailFile(const Jail& jail, const char* path) {
    const UniqueFd fd(open_in_jail(jail, path));
    if (!fd || fstat(fd.get(), &info_) < 0 || info_.st_size > kMaxJailFile) return;
    size_ = static_cast<size_t>(info_.st_size);
    text_ = static_cast<char*>(malloc(size_ + 1));
    if (text_ == nullptr) return;
    size_t n = 0;
    while (n < size_) {
      const ssize_t got = read(fd.get(), text_ + n, size_ - n);
      if (got <= 0) break;
      n += static_cast<size_t>(got);
    }
    text_[n] = '\0';
    next_ = text_;
  }
  ~JailFile() {
    if (text_ != nullptr) wipe_memory(text_, size_);
    free(text_);
  }
  JailFile(const JailFile&) = delete;
  JailFile& operator=(const JailFile&) = delete;

  // All of it; null: it could not be read.
  const char* text() const { return text_; }
  // Of what was read.
  const struct stat& info() const { return info_; }

  // The next line, without its end; null: there is none. They are cut off in the text.
  char* line() {
    if (next_ == nullptr || *next_ == '\0') return nullptr;
    char* start = next_;
    char* end = strchr(start, '\n');
    next_ = end == nullptr ? nullptr : end + 1;
    if (end != nullptr) *end = '\0';
    return start;
  }

 private:
  struct stat info_ = {};
  size_t size_ = 0;
  char* text_ = nullptr;
  char* next_ = nullptr;
};

}  // namespace dfjail
