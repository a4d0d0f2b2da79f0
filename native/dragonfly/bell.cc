#include <fcntl.h>
#include <sys/types.h>
#include <time.h>

#include <sys/event.h>

#include "backend_state.hh"

namespace dfjail {
namespace {

constexpr uintptr_t kIdent = 1;
constexpr intptr_t kSeldom = 250;  // milliseconds: no event says that a jail has ended
constexpr intptr_t kOften = 5;

bool change(int queue, int16_t filter, uint16_t flags, uint32_t fflags, intptr_t data) {
  struct kevent event;
  EV_SET(&event, kIdent, filter, flags, fflags, data, nullptr);
  return kevent(queue, &event, 1, nullptr, 0, nullptr) == 0;
}

}  // namespace

UniqueFd make_bell(bool owned) {
  UniqueFd queue(kqueue());
  if (!queue || fcntl(queue.get(), F_SETFD, FD_CLOEXEC) < 0) return UniqueFd();
  const bool set = owned ? change(queue.get(), EVFILT_USER, EV_ADD, 0, 0)
                         : change(queue.get(), EVFILT_TIMER, EV_ADD, 0, kSeldom);
  return set ? static_cast<UniqueFd&&>(queue) : UniqueFd();
}

void ring(const UniqueFd& bell) {
  if (bell) change(bell.get(), EVFILT_USER, 0, NOTE_TRIGGER, 0);
}

void hurry(const UniqueFd& bell) {
  if (!bell) return;
  change(bell.get(), EVFILT_TIMER, EV_DELETE, 0, 0);
  change(bell.get(), EVFILT_TIMER, EV_ADD, 0, kOften);
}

void silence(const UniqueFd& bell) {
  struct kevent event;
  const timespec now = {0, 0};
  kevent(bell.get(), nullptr, 0, &event, 1, &now);
}

}  // namespace dfjail
