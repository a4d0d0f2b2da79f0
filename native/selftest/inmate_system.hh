#pragma once

namespace selftest {

// Verbs of --child that only one system has. 2: there is none of that name.
int run_system_verb(const char* verb, const char* word);

}  // namespace selftest
