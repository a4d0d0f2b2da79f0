#pragma once

#include "node_api.hh"

namespace dfjail {

// openAt, mkdirAt, renameAt, unlinkAt, rmdirAt, symlinkAt, linkAt, readlinkAt, statAt, namesAt:
// what Node has by paths alone, by an open directory and a name in it. lockFile: flock(2).
// removeTree.
void define_at_calls(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
