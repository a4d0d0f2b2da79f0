#pragma once

#include "node_api.hh"

namespace dfjail {

// openPty(columns, rows), resizePty(fd, columns, rows)
void define_terminal(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
