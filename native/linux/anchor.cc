#include "anchor.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "program_file.hh"
#include "report.hh"

#include "anchor_image.inc"

namespace dfjail {
namespace {

constexpr const char* kStep = "anchor";

}  // namespace

bool make_anchor_file(UniqueFd* file, Error* error) {
  if (!make_program_file("jail-anchor", kStep, file, error)) return false;
  if (write(file->get(), kAnchorImage, sizeof kAnchorImage) !=
      static_cast<ssize_t>(sizeof kAnchorImage)) {
    return fail(error, kStep, "write");
  }
  return seal_program_file(file->get(), kStep, error);
}

namespace {

// With its three descriptors in place.
bool exec_anchor(Error* error) {
  if (fcntl(1, F_SETFD, FD_CLOEXEC) < 0 || fcntl(2, F_SETFD, FD_CLOEXEC) < 0)
    return fail(error, kStep, "fcntl");
  if (syscall(SYS_close_range, 3U, ~0U, 0U) < 0) return fail(error, kStep, "close_range");
  char name[] = "jail-anchor";
  char* argv[] = {name, nullptr};
  char* env[] = {nullptr};
  syscall(SYS_execveat, 2, "", argv, env, AT_EMPTY_PATH);
  return fail(error, kStep, "execveat");
}

}  // namespace

void become_anchor(int file, int lifeline, int report) {
  Error error;
  signal(SIGCHLD, SIG_IGN);  // the kernel reaps what is orphaned to it
  if (dup2(lifeline, 0) < 0 || dup2(report, 1) < 0 || dup2(file, 2) < 0) {
    fail(&error, kStep, "dup2");
    say_failed(report, error);
  }
  exec_anchor(&error);
  say_failed(1, error);  // `report` itself is closed
}

}  // namespace dfjail
