// jail-selftest: the native part of dragonfly-jail, driven without Node. Prints TAP.
//
//   jail-selftest [--monitor FILE] [--fast] [--high-jids]
//
// On DragonFly it wants root, and to be linked statically: it is also the one program in the jails
// that it makes.
// --fast leaves out what needs a second user or a network interface. --high-jids uses up the first
// 100,000 jail ids, by calls that fail and leave references in the kernel: for hosts that are
// thrown away afterwards.
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "inmate.hh"
#include "system.hh"
#include "tap.hh"

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "--child") == 0) return selftest::be_inmate(argc - 2, argv + 2);
  selftest::Options options;
  static char self[PATH_MAX];
  static char monitor[PATH_MAX];
  if (realpath(argv[0], self) != nullptr) options.self = self;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--fast") == 0) {
      options.fast = true;
    } else if (strcmp(argv[i], "--high-jids") == 0) {
      options.high_jids = true;
    } else if (strcmp(argv[i], "--monitor") == 0 && i + 1 < argc &&
               realpath(argv[i + 1], monitor) != nullptr) {
      options.monitor = monitor;
      i++;
    } else {
      fprintf(stderr, "usage: jail-selftest [--monitor FILE] [--fast] [--high-jids]\n");
      return 2;
    }
  }
  signal(SIGPIPE, SIG_IGN);
  utsname name;
  if (uname(&name) == 0) {
    selftest::note("%s %s %s", name.sysname, name.release, name.machine);
    selftest::note("%s", name.version);
  }
  selftest::test_portable(options);
  selftest::test_system(options);
  return selftest::finish();
}
