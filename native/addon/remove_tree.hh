#pragma once

#include "../common/error.hh"

namespace dfjail {

// Removes a directory and everything below it. Every part is opened in the one before and no link
// is followed, whoever exchanges what meanwhile; other file systems that are mounted below stay.
// An ordinary user's directories that are closed to it are opened. False with the first error when
// something stays.
bool remove_tree(int folder, const char* name, Error* error);

}  // namespace dfjail
