#include "terminal.hh"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "../common/unique_fd.hh"
#include "arguments.hh"
#include "descriptors.hh"
#include "errors.hh"

namespace dfjail {
namespace {

constexpr int kMaxSize = 65535;  // struct winsize

// On the BSDs the last close of a terminal waits in the kernel until its output has been read,
// which this very thread does. Not when the descriptor that is closed last does not block.
#ifdef __linux__
constexpr bool kLastCloseWaits = false;
#else
constexpr bool kLastCloseWaits = true;
#endif

// By the master where the kernel can: then no path is looked up that another mount could have
// replaced.
UniqueFd open_slave(int master, int more) {
  const int flags = O_RDWR | O_NOCTTY | O_CLOEXEC | more;
#ifdef TIOCGPTPEER
  return UniqueFd(ioctl(master, TIOCGPTPEER, flags));
#else
  const char* name = ptsname(master);  // of each thread by itself on DragonFly, which has no other
  return name == nullptr ? UniqueFd() : UniqueFd(open(name, flags));
#endif
}

Napi::Value give_terminal(Napi::Env env, UniqueFd* master, UniqueFd* slave, UniqueFd* hold) {
  Napi::Array ends = Napi::Array::New(env, 2);
  ends.Set(0U, give(env, master));
  ends.Set(1U, give(env, slave));
  if (*hold) ends.Set(2U, give(env, hold));
  return ends;
}

bool get_size(const Napi::CallbackInfo& info, size_t index, winsize* size) {
  int columns = 0;
  int rows = 0;
  if (!get_integer(info, index, "columns", 0, kMaxSize, &columns) ||
      !get_integer(info, index + 1, "rows", 0, kMaxSize, &rows)) {
    return false;
  }
  size->ws_col = static_cast<unsigned short>(columns);
  size->ws_row = static_cast<unsigned short>(rows);
  return true;
}

Napi::Value open_pty(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  winsize size = {};
  if (!get_size(info, 0, &size)) return env.Undefined();
  UniqueFd master(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!master) return throw_errno(env, "posix_openpt");
  if (grantpt(master.get()) < 0) return throw_errno(env, "grantpt");
  if (unlockpt(master.get()) < 0) return throw_errno(env, "unlockpt");
  UniqueFd slave = open_slave(master.get(), 0);
  if (!slave) return throw_errno(env, "open", "pty");
  UniqueFd hold;
  if (kLastCloseWaits) {
    hold = open_slave(master.get(), O_NONBLOCK);
    if (!hold) return throw_errno(env, "open", "pty");
  }
  if (ioctl(master.get(), TIOCSWINSZ, &size) < 0) return throw_errno(env, "ioctl", "TIOCSWINSZ");
  return give_terminal(env, &master, &slave, &hold);
}

Napi::Value resize_pty(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int fd = -1;
  winsize size = {};
  if (!get_descriptor(info, 0, "fd", &fd) || !get_size(info, 1, &size)) return env.Undefined();
  if (ioctl(fd, TIOCSWINSZ, &size) < 0) return throw_errno(env, "ioctl", "TIOCSWINSZ");
  return env.Undefined();
}

}  // namespace

void define_terminal(Napi::Env env, Napi::Object exports) {
  exports.Set("openPty", Napi::Function::New(env, open_pty, "openPty"));
  exports.Set("resizePty", Napi::Function::New(env, resize_pty, "resizePty"));
}

}  // namespace dfjail
