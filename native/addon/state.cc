#include "state.hh"

#include <unistd.h>

#include "reaper.hh"

namespace dfjail {
namespace {

// Pipes and sockets have an inode of their own, which is not given out again soon. Terminals have
// not.
bool is_recognizable(const struct stat& info) {
  return S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode);
}

// DragonFly keeps a pipe that was closed for the next one, with its inode number, and notes when
// that was made. On Linux the number is a new one, and the time changes as the pipe is written to.
bool is_same_file(const struct stat& before, const struct stat& now) {
  if (now.st_dev != before.st_dev || now.st_ino != before.st_ino) return false;
#ifdef __linux__
  return true;
#else
  return now.st_ctim.tv_sec == before.st_ctim.tv_sec &&
         now.st_ctim.tv_nsec == before.st_ctim.tv_nsec;
#endif
}

// Node runs this after it has closed its own handles.
void clean_up(State* state) {
  state->close_forgotten();
  reap_later(&state->monitors);
}

}  // namespace

void State::give(int fd) {
  struct stat info;
  if (fstat(fd, &info) == 0 && is_recognizable(info)) given[fd] = info;
}

void State::close_forgotten() {
  for (const auto& [fd, before] : given) {
    struct stat now;
    const bool same = fstat(fd, &now) == 0 && is_recognizable(now) && is_same_file(before, now);
    if (same) close(fd);
  }
  given.clear();
}

void create_state(Napi::Env env) {
  auto* state = new State();
  env.SetInstanceData<State>(state);
  env.AddCleanupHook(clean_up, state);
}

}  // namespace dfjail
