#pragma once

#include <stddef.h>
#include <stdint.h>

// What Node asks for, decoded. Plain data: the strings lie in the frame that it came in, and policy
// (defaults, names, what is allowed) has been settled in TypeScript.
namespace dfjail {

constexpr size_t kMaxAddresses = 256;
constexpr size_t kMaxMounts = 256;
constexpr size_t kMaxLimits = 16;
constexpr size_t kMaxStdio = 64;
constexpr size_t kMaxGivenGroups = 15;
constexpr uint64_t kUnlimited = ~0ULL;

enum Capability : uint32_t {
  kSetHostname = 1U << 0,
  kSysvIpc = 1U << 1,
  kRawSockets = 1U << 2,
  kUnixIpRouteOnly = 1U << 3,
  kListenOverride = 1U << 4,
  kChflags = 1U << 5,
  kMountNullfs = 1U << 6,
  kMountTmpfs = 1U << 7,
  kMountDevfs = 1U << 8,
  kMountProcfs = 1U << 9,
  kMountFusefs = 1U << 10,
};

enum class MountType : uint32_t { kNullfs = 1, kDevfs = 2, kProcfs = 3, kTmpfs = 4 };

struct MountSpec {
  static constexpr uint32_t kReadOnly = 1;
  static constexpr uint32_t kNoExec = 2;
  static constexpr uint32_t kNoSuid = 4;
  MountType type;
  const char* target;
  const char* source;
  uint32_t flags;
  const char* options;
};

// An rlimit; `resource` is the index of the protocol, not the system's number.
struct Limit {
  uint32_t resource;
  uint64_t soft;
  uint64_t hard;
};

struct JailSpec {
  static constexpr uint32_t kPersist = 1;
  static constexpr uint32_t kUntilEmpty = 2;
  static constexpr uint32_t kReadOnlyRoot = 4;
  static constexpr uint32_t kNoNewPrivileges = 8;  // of every command
  const char* state_dir;
  const char* path;
  const char* hostname;
  const char* name;
  size_t address_count;
  const char* addresses[kMaxAddresses];
  uint32_t scopeids[kMaxAddresses];
  const char* interface;
  uint32_t capabilities;
  size_t mount_count;
  MountSpec mounts[kMaxMounts];
  size_t limit_count;
  Limit limits[kMaxLimits];
  uint64_t memory;
  uint64_t processes;
  uint32_t flags;
};

enum class Who : uint32_t { kNone = 0, kName = 1, kId = 2 };
enum class Slot : uint32_t { kClosed = 0, kNull = 1, kPassed = 2 };

// argv and env end with a null pointer and are freed by free_command.
struct CommandSpec {
  static constexpr uint32_t kLogin = 1;
  static constexpr uint32_t kTerminal = 2;
  static constexpr uint32_t kSearchPath = 4;
  static constexpr uint32_t kGroups = 8;        // the groups are given, not the user's own
  static constexpr uint32_t kDefaultPath = 16;  // nobody asked for the PATH that is in env
  static constexpr uint32_t kNoNewPrivileges = 32;
  const char* file = nullptr;
  const char** argv = nullptr;
  size_t argc = 0;
  const char** env = nullptr;
  size_t env_count = 0;
  const char* cwd = nullptr;
  Who user_kind = Who::kNone;
  const char* user = nullptr;
  uint32_t uid = 0;
  Who group_kind = Who::kNone;
  const char* group = nullptr;
  uint32_t gid = 0;
  size_t limit_count = 0;
  Limit limits[kMaxLimits];
  uint32_t flags = 0;
  size_t stdio_count = 0;
  Slot stdio[kMaxStdio];
  const char* terminal_type = nullptr;
  size_t group_count = 0;
  uint32_t groups[kMaxGivenGroups];
};

void free_command(CommandSpec* command);

}  // namespace dfjail
