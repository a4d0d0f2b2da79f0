#pragma once

#include <stddef.h>
#include <stdint.h>

// Login classes: what the text of a login.conf(5) says of one of them. It comes from inside a jail,
// so every size and every way through it is bounded; nothing here opens or runs anything.
namespace dfjail {

// Bytes of a class with everything that its tc= name; the base system's longest has 700.
constexpr size_t kMaxClassRecord = size_t{16} * 1024;
// tc= that are followed for one class; the base system's library takes chains of 32.
constexpr size_t kMaxInclusions = 64;
constexpr size_t kMaxClassVariables = 32;
constexpr size_t kMaxClassEnvironment = size_t{8} * 1024;

enum class ClassLookup : uint32_t {
  kFound,
  kMissing,
  kLoop,        // more than kMaxInclusions
  kUnresolved,  // a tc= names a class that is not there
  kTooLong,     // more than kMaxClassRecord
};

class LoginClass {
 public:
  // Takes the first class of that name. `text` ends with a NUL.
  ClassLookup find(const char* text, const char* name);

  // The value of a capability with its escapes, up to the next colon; null: the class has none.
  const char* text(const char* capability) const;
  // False: the class has none, or none that is one. kUnlimited (spec.hh) for `infinity`.
  bool size(const char* capability, uint64_t* out) const;
  bool time(const char* capability, uint64_t* out) const;
  // INT64_MAX for `infinity`.
  bool number(const char* capability, int64_t* out) const;

 private:
  ClassLookup include(const char* text, size_t at);

  char record_[kMaxClassRecord];
  size_t length_ = 0;
};

// Limits in the order of setclassresources(3).
enum class ClassResource : uint32_t {
  kCpuTime,
  kFileSize,
  kDataSize,
  kStackSize,
  kMemoryUse,
  kMemoryLocked,
  kMaxProc,
  kOpenFiles,
  kCoreDumpSize,
  kSocketBuffers,
  kVirtualMemory,
  kPosixLocks,
};
constexpr size_t kClassResources = 12;

// What the class does not say stays as it is.
struct ClassLimit {
  bool has_soft = false;
  bool has_hard = false;
  uint64_t soft = 0;  // kUnlimited: none
  uint64_t hard = 0;
};

// What a login changes in a process.
struct ClassContext {
  bool given = false;  // classes are known here, and this is a login
  uint32_t umask = 022;
  bool has_priority = true;
  int32_t priority = 0;  // as setpriority(2); from 21 on idle priorities, below -20 real-time ones
  ClassLimit limits[kClassResources];
};

// As setusercontext(3) with LOGIN_SETRESOURCES, LOGIN_SETUMASK and LOGIN_SETPRIORITY.
void read_context(const LoginClass& login_class, ClassContext* out);

// `NAME=value`, each with a NUL behind it; of two with the same name the first counts.
struct ClassEnvironment {
  size_t count = 0;
  size_t size = 0;
  char text[kMaxClassEnvironment];
};

// As with LOGIN_SETPATH and LOGIN_SETENV; `~` becomes the home directory, `$` the user's name.
// False when it is too much.
bool read_environment(const LoginClass& login_class, const char* user, const char* home,
                      ClassEnvironment* out);

}  // namespace dfjail
