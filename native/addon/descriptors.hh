#pragma once

#include "../common/unique_fd.hh"
#include "node_api.hh"

namespace dfjail {

// Its number; from then on it is JavaScript's to close.
Napi::Value give(Napi::Env env, UniqueFd* fd);
// [first, second], likewise.
Napi::Value give_pair(Napi::Env env, UniqueFd* first, UniqueFd* second);

// pipe(), close(fd), isOpen(fd)
void define_descriptors(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
