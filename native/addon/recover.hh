#pragma once

#include <stdint.h>

#include <list>
#include <string>
#include <vector>

#include "../common/error.hh"
#include "node_api.hh"

namespace dfjail {

// What could not be undone.
struct Failure {
  std::string what;
  Error error;
};

// What was done about one dead jail.
struct Recovered {
  uint32_t jid = 0;
  std::string name;  // empty when nothing says it any more
  std::vector<std::string> undone;
  std::vector<Failure> failed;

  void note(const std::string& what, const Error& error) {
    if (error.failed()) failed.push_back({what, error});
    if (!error.failed()) undone.push_back(what);
  }
};

struct Recovery {
  std::vector<Recovered> jails;
  std::list<std::string> texts;  // what errors point to that are not made of constants
};

// recover(stateDir, jid): a promise of what was done
void define_recover(Napi::Env env, Napi::Object exports);

// ---- linux_recover.cc, dragonfly_recover.cc

// Takes back what dead jails of a state directory have left; jid 0 is all of them. On a thread of
// the pool.
bool recover(const std::string& folder, uint32_t jid, Recovery* recovery, Error* error);

}  // namespace dfjail
