#pragma once

#include "node_api.hh"

namespace dfjail {

// What differs between the systems: listEntries, findEntry, recover, listProcesses, jailProcesses,
// signalJail. The build picks the files that implement it: linux_*.cc.
#if defined(__linux__)
constexpr const char* kSystem = "linux";
void define_system(Napi::Env env, Napi::Object exports);
#elif defined(__DragonFly__)
constexpr const char* kSystem = "dragonfly";
inline void define_system(Napi::Env, Napi::Object) {}
#else
constexpr const char* kSystem = "other";
inline void define_system(Napi::Env, Napi::Object) {}
#endif

}  // namespace dfjail
