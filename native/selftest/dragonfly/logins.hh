#pragma once

#include "scene.hh"

namespace selftest {

// Login names, login classes, groups: what a user brings along.
void test_logins(const Scene& scene);

}  // namespace selftest
