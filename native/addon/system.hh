#pragma once

#include "node_api.hh"

namespace dfjail {

// What differs between the systems: listEntries, findEntry and recover everywhere; listProcesses,
// jailProcesses, signalJail and canFilterSources on Linux; SyscallsNative of src/syscalls/kernel.ts
// on DragonFly. The build picks the files that implement it: linux_*.cc or dragonfly_*.cc.
#if defined(__linux__)
constexpr const char* kSystem = "linux";
#elif defined(__DragonFly__)
constexpr const char* kSystem = "dragonfly";
#else
#error "dragonfly-jail is for DragonFly BSD and Linux: FreeBSD has another jail(2)"
#endif
void define_system(Napi::Env env, Napi::Object exports);
#ifdef __linux__
// canFilterSources()
void define_source_filter(Napi::Env env, Napi::Object exports);
#endif

}  // namespace dfjail
