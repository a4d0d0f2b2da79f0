#include "program_file.hh"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

namespace dfjail {
namespace {

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

// Kernels before 6.3 do not know MFD_EXEC, later ones may insist on it.
int memory_file(const char* name) {
  const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (fd >= 0 || errno != EINVAL) return fd;
  return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

}  // namespace

bool make_program_file(const char* name, const char* step, UniqueFd* file, Error* error) {
  file->reset(memory_file(name));
  if (*file) return true;
  if (errno != EACCES) return fail(error, step, "memfd_create");
  return fail_with_code(error, step, "ERR_JAIL_UNSUPPORTED", "",
                        "This host lets nobody run a file in memory, which keeps its own files "
                        "from the jail: sysctl vm.memfd_noexec=1, or 0.");
}

bool seal_program_file(int file, const char* step, Error* error) {
  // Executable but not readable: exec then makes the process one that only the file's owner's
  // namespace may trace.
  if (fchmod(file, 0111) < 0) return fail(error, step, "fchmod");
  // Not even its owner, whom an ordinary user's jail has for its root, takes the right to run it
  // away: from Linux 6.3 on.
  if (fcntl(file, F_ADD_SEALS, kSeals | F_SEAL_EXEC) == 0) return true;
  if (errno == EINVAL && fcntl(file, F_ADD_SEALS, kSeals) == 0) return true;
  return fail(error, step, "fcntl");
}

}  // namespace dfjail
