#include "jail_calls.hh"
#include "system_jail.hh"

namespace dfjail {

int jail_enter(int jid) { return ::jail_attach(jid); }

}  // namespace dfjail
