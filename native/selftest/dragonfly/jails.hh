#pragma once

#include "root.hh"

namespace selftest {

// The monitor, over its protocol.
void test_jails(const Options& options, const Root& root);

}  // namespace selftest
