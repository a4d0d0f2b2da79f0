#pragma once

#include "scene.hh"

namespace selftest {

// Jails at the limits of what the kernel takes, and inmates that do their worst.
void test_edges(const Scene& scene);

}  // namespace selftest
