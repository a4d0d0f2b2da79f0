#include <fcntl.h>
#include <sys/sendfile.h>

#include <map>
#include <mutex>

#include "../common/unique_fd.hh"
#include "../linux/program_file.hh"
#include "monitor_program.hh"

namespace dfjail {
namespace {

constexpr const char* kStep = "monitor";
// Above all numbers that the child gets descriptors by.
constexpr int kAboveStdio = 10;

// Of all environments; whoever uses one may do so for as long as the process lives.
std::mutex copies_lock;
std::map<std::string, int>& copies() {
  static auto* all = new std::map<std::string, int>;
  return *all;
}

bool copy_content(int from, int to, const char* file, Error* error) {
  constexpr size_t kMost = size_t{1} << 30;
  ssize_t n;
  do {
    n = sendfile(to, from, nullptr, kMost);
  } while (n > 0 || (n < 0 && errno == EINTR));
  return n == 0 || fail(error, kStep, "sendfile", file);
}

bool make_copy(const char* file, int* out, Error* error) {
  const UniqueFd source(open(file, O_RDONLY | O_CLOEXEC));
  if (!source) return fail(error, kStep, "open", file);
  UniqueFd copy;
  if (!make_program_file("jail-monitor", kStep, &copy, error)) return false;
  if (!copy_content(source.get(), copy.get(), file, error)) return false;
  if (!seal_program_file(copy.get(), kStep, error)) return false;
  *out = fcntl(copy.get(), F_DUPFD_CLOEXEC, kAboveStdio);
  return *out >= 0 || fail(error, kStep, "fcntl");
}

}  // namespace

// Until its exec a command is a child of the monitor that runs the monitor's program: the jail gets
// at that by /proc/PID/exe, and has it run by a script whose interpreter is /proc/self/exe.
bool find_monitor_program(const char* file, bool anew, MonitorProgram* program, Error* error) {
  const std::lock_guard<std::mutex> lock(copies_lock);
  const auto known = copies().find(file);
  program->known = known != copies().end() && !anew;
  if (program->known) {
    program->descriptor = known->second;
  } else {
    // One that cannot be run is left open: another thread may be about to give it to a child.
    if (!make_copy(file, &program->descriptor, error)) return false;
    copies()[file] = program->descriptor;
  }
  static_assert(kProgramDescriptor == 4, "it is in the path");
  program->path = "/proc/self/fd/4";
  return true;
}

}  // namespace dfjail
