#include "anchor.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "report.hh"

#include "anchor_image.inc"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

namespace dfjail {
namespace {

constexpr const char* kStep = "anchor";

// Kernels before 6.3 do not know MFD_EXEC, later ones may insist on it.
int memory_file() {
  const int fd = memfd_create("jail-anchor", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (fd >= 0 || errno != EINVAL) return fd;
  return memfd_create("jail-anchor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

}  // namespace

bool make_anchor_file(UniqueFd* file, Error* error) {
  file->reset(memory_file());
  if (!*file) return fail(error, kStep, "memfd_create");
  if (write(file->get(), kAnchorImage, sizeof kAnchorImage) !=
      static_cast<ssize_t>(sizeof kAnchorImage)) {
    return fail(error, kStep, "write");
  }
  // Executable but not readable: exec then makes the process one that only the file's owner's
  // namespace may trace.
  if (fchmod(file->get(), 0111) < 0) return fail(error, kStep, "fchmod");
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  return fcntl(file->get(), F_ADD_SEALS, kSeals) == 0 || fail(error, kStep, "fcntl");
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
