#pragma once

#include "node_api.hh"

namespace dfjail {

// listProcesses(stateDir), jailProcesses(stateDir, jid), signalJail(stateDir, jid, signal)
void define_process_list(Napi::Env env, Napi::Object exports);

}  // namespace dfjail
