#include "report.hh"

#include <signal.h>
#include <unistd.h>

namespace dfjail {
namespace {

constexpr char kReadyByte = 'n';
constexpr char kGoByte = 'g';

}  // namespace

// An Error comes in one piece, so a single byte is never the start of one.
Word hear(int report, const char* step, Error* error) {
  char buffer[sizeof(Error)];
  size_t n = 0;
  while (n < sizeof buffer) {
    const ssize_t got = read(report, buffer + n, sizeof buffer - n);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      fail(error, step, "read");
      return Word::kFailed;
    }
    if (got == 0) return Word::kEnded;
    n += static_cast<size_t>(got);
    if (n == 1 && buffer[0] == kReadyByte) return Word::kReady;
  }
  memcpy(error, buffer, sizeof buffer);
  return Word::kFailed;
}

bool say_ready(int report) { return write(report, &kReadyByte, 1) == 1; }

void say_failed(int report, const Error& error) {
  const ssize_t n = write(report, &error, sizeof error);
  _exit(n < 0 ? 2 : 1);
}

// A process that is gone has said why: no signal is needed.
bool say_go(int gate) {
  const auto before = signal(SIGPIPE, SIG_IGN);
  const bool written = write(gate, &kGoByte, 1) == 1;
  const int number = errno;
  signal(SIGPIPE, before);
  errno = number;
  return written;
}

bool wait_for_go(int gate) {
  char byte;
  ssize_t n;
  do {
    n = read(gate, &byte, 1);
  } while (n < 0 && errno == EINTR);
  if (n == 0) errno = ECANCELED;
  return n == 1;
}

}  // namespace dfjail
