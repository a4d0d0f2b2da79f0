#pragma once

#include "scene.hh"

namespace selftest {

// How many have ended whose jids connections hold.
int count_lingering(const Scene& scene);

// Jails that do not want to end, or that leave something behind in the kernel.
void test_endings(const Scene& scene);

}  // namespace selftest
