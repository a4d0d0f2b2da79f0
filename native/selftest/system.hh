#pragma once

namespace selftest {

struct Options {
  const char* self = "";     // this program, absolute
  const char* monitor = "";  // jail-monitor; empty: tests of it are skipped
  bool fast = false;
  bool high_jids = false;
};

// What any system can run: codecs, and a monitor that is told nonsense.
void test_portable(const Options& options);
// Of that: what the text of a login.conf(5) says.
void test_login_classes();
// What needs the system that it was built for.
void test_system(const Options& options);

}  // namespace selftest
