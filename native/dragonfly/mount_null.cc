#include "mount.hh"

namespace dfjail {
namespace {

// null_args embeds kernel structures whose size differs between releases; the kernel copies as much
// as it knows, and all but the first field is for exporting. So: more than any release wants, zero,
// aligned as a cache line.
struct alignas(64) NullArguments {
  const char* target;
  char rest[1024 - sizeof(char*)];
};

}  // namespace

bool mount_null(const char* target, const char* source, int flags) {
  static NullArguments arguments;
  arguments.target = source;
  return ::mount("null", target, flags, &arguments) == 0;
}

}  // namespace dfjail
