#pragma once

#include "../monitor/backend.hh"

// What setusercontext(3) does in a process that has entered a jail. Nothing in it is a reason to
// fail, there neither: the kernel has the last word on what a jail may.
namespace dfjail {

// Limits, priority and umask of a login class, once the jail's own limits are set: those it lowers,
// and never lifts. Without a login the umask is 022.
void set_class_context(const Jail& jail, const ClassContext& context);

// What getlogin(2) says. Nobody's for a number that no file knows, as the caller's is none of the
// jail.
void set_login_name(const Identity& who);

}  // namespace dfjail
