#pragma once

#include "../system.hh"

// A root directory with this program in it, and what is asked of the host around it.
namespace selftest {

struct Root {
  char path[64];
  char state[64];
};

bool make_root(const Options& options, Root* root);
void remove_root(const Root& root);
// Joins path and name; the result is valid until 64 more calls.
const char* below(const char* path, const char* name);
bool write_text(const char* path, const char* text);
// The line of `jail.list` for this jid, without the line feed; "" when there is none. Valid until
// the next call.
const char* listed(unsigned jid);
// Rows of jails whose root is this path, or below it: others may have jails of their own.
int count_listed(const char* path);
// Mounts below a path.
int count_mounts(const char* path);
bool waits_until(bool (*condition)(const void* context), const void* context, int milliseconds);

}  // namespace selftest
