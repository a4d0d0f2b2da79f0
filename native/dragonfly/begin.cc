#include "../monitor/backend.hh"

namespace dfjail {

// It was started by its path.
void begin_monitor() {}

}  // namespace dfjail
