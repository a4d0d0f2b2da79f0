#pragma once

#include <vector>

#include "node_api.hh"

namespace dfjail {

// An array of `minimum` to `maximum` integers, each of them an int. False after it has thrown a
// TypeError that says what was expected.
bool get_integers(const Napi::CallbackInfo& info, size_t index, const char* expected,
                  size_t minimum, size_t maximum, std::vector<int>* out);

}  // namespace dfjail
