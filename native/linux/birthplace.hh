#pragma once

#include "../monitor/backend.hh"

namespace dfjail {

// Where the monitor's children are born.
//
// A child is in the jail's pid namespace from its first moment, and /proc inside shows everybody
// the mounts and the network of whoever is there: of all processes, without asking for the right to
// trace them. So none may be born in the host's. While one of these is in scope the monitor is in
// the jail's mount namespace; into the jail's network it goes for good.
class Birthplace {
 public:
  // Fails (step 'enter') when the jail has ended.
  Birthplace(const Jail& jail, Error* error);
  // Ends the monitor, and with it the jail, rather than to go on inside.
  ~Birthplace();
  Birthplace(const Birthplace&) = delete;
  Birthplace& operator=(const Birthplace&) = delete;
  explicit operator bool() const { return inside_; }

 private:
  bool inside_ = false;
};

// Back to the host's network, to take things away there. False and errno: still away, as an
// ordinary user's monitor always is, which has nothing there.
bool return_to_network();

}  // namespace dfjail
