#pragma once

#include "../common/error.hh"
#include "identity.hh"

namespace dfjail {

struct Jail;

// The login class of a user whose identity is known, from the jail's own /etc/master.passwd and
// /etc/login.conf. Step 'user', path /etc/login.conf: ELOOP, EINVAL (a tc= that leads nowhere),
// E2BIG. Without such a class nothing is changed: what a login without one has stays.
bool find_login_class(const Jail& jail, Identity* who, ClassEnvironment* environment, Error* error);

}  // namespace dfjail
