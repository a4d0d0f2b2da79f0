#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string>
#include <vector>

#include "node_api.hh"

// Arguments, checked. Each returns false after it has thrown a TypeError that names the argument.
namespace dfjail {

bool get_integer(const Napi::CallbackInfo& info, size_t index, const char* name, int minimum,
                 int maximum, int* out);
// Not empty, and without NUL, which the kernel would end it at.
bool get_text(const Napi::CallbackInfo& info, size_t index, const char* name, std::string* out);
bool get_descriptor(const Napi::CallbackInfo& info, size_t index, const char* name, int* out);
bool get_descriptors(const Napi::CallbackInfo& info, size_t index, const char* name, size_t maximum,
                     std::vector<int>* out);
// The bytes stay the array's: use them before anything else runs.
bool get_bytes(const Napi::CallbackInfo& info, size_t index, const char* name,
               const uint8_t** bytes, size_t* size);

}  // namespace dfjail
