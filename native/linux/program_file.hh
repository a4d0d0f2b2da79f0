#pragma once

#include "../common/error.hh"
#include "../common/unique_fd.hh"

namespace dfjail {

// Programs as files in memory: what a jail can get hold of by /proc/PID/exe is then no file of the
// host. ERR_JAIL_UNSUPPORTED where this host lets nobody run such a file.
bool make_program_file(const char* name, const char* step, UniqueFd* file, Error* error);
// When it is written: from here on it can be run, and not be changed by anybody.
bool seal_program_file(int file, const char* step, Error* error);

}  // namespace dfjail
