#include <sys/types.h>
#include <unistd.h>

#include "../../dragonfly/sysctl.hh"
#include "../../monitor/backend.hh"
#include "../system.hh"
#include "../tap.hh"
#include "calls.hh"
#include "jails.hh"
#include "root.hh"

namespace dfjail {

// Nothing of a monitor is in this process.
void forget_secrets(const CommandSpec*) {}

}  // namespace dfjail

namespace selftest {

void test_system(const Options& options) {
  int version = 0;
  dfjail::sysctl_get_int("kern.osreldate", &version);
  note("kern.osreldate %d", version);
  if (geteuid() != 0) return skip("jails", "only root may make them");
  Root root;
  if (!check(make_root(options, &root), "a root directory is made")) return;
  test_calls(options, root);
  if (options.monitor[0] != '\0') test_jails(options, root);
  remove_root(root);
}

}  // namespace selftest
