#pragma once

#include <errno.h>

#include "../common/error.hh"
#include "node_api.hh"

namespace dfjail {

// "EPERM", or "E<number>" for one that has no name here.
const char* errno_name(int number, char (&buffer)[16]);

// An Error with code, negative errno, syscall and, where known, step and path. An error of ours,
// without an errno, has the code alone.
Napi::Value make_error(Napi::Env env, const Error& error);

// Both throw, and return undefined so that a function can say `return throw_…(…)`.
Napi::Value throw_error(Napi::Env env, const Error& error);
Napi::Value throw_errno(Napi::Env env, const char* syscall, const char* path = "",
                        int number = errno);

// errnoName(errno), errnoMessage(errno)
void define_errors(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
