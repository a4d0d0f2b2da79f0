#include "alias_book.hh"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/registry.hh"

namespace dfjail {
namespace {

constexpr const char* kStep = "address";
constexpr const char* kFolder = "/var/run/dragonfly-jail";
constexpr const char* kLock = "aliases";
constexpr const char* kBook = "registries";  // a path a line
constexpr const char* kFreshBook = "registries.new";
constexpr size_t kMostBytes = size_t{256} * 1024;

// The whole book, or an empty text.
char* read_book(int folder) {
  const UniqueFd fd(openat(folder, kBook, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  char* text = static_cast<char*>(calloc(1, kMostBytes));
  if (text == nullptr || !fd) return text;
  size_t size = 0;
  for (ssize_t n; size < kMostBytes - 1; size += static_cast<size_t>(n)) {
    n = read(fd.get(), text + size, kMostBytes - 1 - size);
    if (n <= 0) break;
  }
  return text;
}

// Calls visit(path) for each line, until it returns false.
template <typename Visit>
void each_line(char* text, const Visit& visit) {
  for (char* line = text; line != nullptr && *line != '\0';) {
    char* end = strchr(line, '\n');
    if (end == nullptr) return;
    *end = '\0';
    if (!visit(line)) return;
    line = end + 1;
  }
}

bool is_folder(const char* path) {
  struct stat info;
  return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

// Those that are there still, and the new one.
bool write_book(int folder, char* text, const char* added) {
  const UniqueFd fd(
      openat(folder, kFreshBook, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return false;
  bool ok = true;
  const auto put = [&](const char* path) {
    if (is_folder(path)) ok = dprintf(fd.get(), "%s\n", path) > 0;
    return ok;
  };
  each_line(text, put);
  return ok && put(added) && renameat(folder, kFreshBook, folder, kBook) == 0;
}

}  // namespace

UniqueFd lock_aliases(Error* error) {
  UniqueFd folder;
  if (!open_state(kFolder, &folder, error)) return UniqueFd();
  UniqueFd fd(openat(folder.get(), kLock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  while (fd && flock(fd.get(), LOCK_EX) < 0 && errno == EINTR) {
  }
  if (!fd) fail(error, kStep, "open", kLock);
  return fd;
}

bool note_registry(const char* state_path, Error* error) {
  UniqueFd folder;
  if (!open_state(kFolder, &folder, error)) return false;
  char* text = read_book(folder.get());
  if (text == nullptr) return fail(error, kStep, "malloc", kBook, ENOMEM);
  char* copy = strdup(text);
  bool known = false;
  each_line(text, [&](const char* path) { return !(known = strcmp(path, state_path) == 0); });
  const bool ok = known || (copy != nullptr && write_book(folder.get(), copy, state_path));
  free(copy);
  free(text);
  return ok || fail(error, kStep, "write", kBook);
}

void each_registry(bool (*visit)(void* context, int state), void* context) {
  Error ignored;
  UniqueFd folder;
  if (!open_state(kFolder, &folder, &ignored)) return;
  char* text = read_book(folder.get());
  each_line(text, [&](const char* path) {
    const UniqueFd state(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    return !state || visit(context, state.get());
  });
  free(text);
}

}  // namespace dfjail
