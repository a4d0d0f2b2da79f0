#include "shared_rules.hh"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/unique_fd.hh"
#include "boot.hh"
#include "devfs_rules.hh"

namespace dfjail {
namespace {

constexpr size_t kMaxText = 16 * 1024;

// <state>/devfs-rules: the boot, then one name a line. Locked while in scope.
class Names {
 public:
  explicit Names(int state)
      : fd_(openat(state, "devfs-rules", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    while (fd_ && flock(fd_.get(), LOCK_EX) < 0 && errno == EINTR) {
    }
  }

  bool load() {
    char boot[48];
    if (!fd_ || !boot_id(boot, sizeof boot)) return false;
    const ssize_t n = pread(fd_.get(), text_, sizeof text_ - 1, 0);
    text_[n > 0 ? n : 0] = '\0';
    const size_t length = strlen(boot);
    if (strncmp(text_, boot, length) == 0 && text_[length] == '\n') return true;
    text_[0] = '\0';
    return ftruncate(fd_.get(), 0) == 0 && append(boot);
  }

  bool has(const char* name) const {
    char line[1100];
    snprintf(line, sizeof line, "\n%s\n", name);
    return strstr(text_, line) != nullptr;
  }

  bool append(const char* name) {
    const size_t used = strlen(text_);
    const int n = snprintf(text_ + used, sizeof text_ - used, "%s\n", name);
    if (n < 0 || used + static_cast<size_t>(n) >= sizeof text_) return false;
    return pwrite(fd_.get(), text_ + used, static_cast<size_t>(n), static_cast<off_t>(used)) == n;
  }

 private:
  UniqueFd fd_;
  char text_[kMaxText] = "";
};

bool ensure(Names* names, const char* name, Error* error) {
  if (names->has(name)) return true;
  if (!names->append(name)) return fail(error, "mount", "write", "devfs-rules");
  return devfs_add_jail_rules(name, error);
}

}  // namespace

bool share_rules(int state, const char* target, Error* error) {
  Names names(state);
  if (!names.load()) return fail(error, "mount", "open", "devfs-rules");
  if (!ensure(&names, "/", error)) return false;
  char clean[1024];
  snprintf(clean, sizeof clean, "%s", target);
  for (size_t n = strlen(clean); n > 1 && clean[n - 1] == '/'; n--) clean[n - 1] = '\0';
  for (const char* part = clean; part != nullptr; part = strchr(part + 1, '/')) {
    if (part[1] != '\0' && !ensure(&names, part, error)) return false;
  }
  return true;
}

}  // namespace dfjail
