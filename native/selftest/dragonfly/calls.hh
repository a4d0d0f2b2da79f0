#pragma once

#include "root.hh"

namespace selftest {

// jail(2), jail_attach(2), sysctl, mounts, devfs rules, addresses, processes: each call by itself.
void test_calls(const Options& options, const Root& root);

}  // namespace selftest
