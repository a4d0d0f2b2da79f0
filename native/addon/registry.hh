#pragma once

#include <memory>
#include <string>

#include "../common/registry.hh"
#include "node_api.hh"

namespace dfjail {

// A state directory, open for reading. Without both descriptors as long as nobody has made a jail.
struct Registry {
  std::string folder;
  UniqueFd state;
  UniqueFd locks;
};

bool open_registry(const std::string& folder, Registry* registry, Error* error);
// The same for the argument `stateDir`; throws.
bool get_registry(const Napi::CallbackInfo& info, size_t index, Registry* registry);
// A jail whose monitor lives and which is ready. False for any other.
bool read_living(const Registry& registry, uint32_t jid, Entry* entry);
// The living jail of the argument `jid`; throws, ERR_JAIL_NOT_FOUND when there is none.
bool get_living(const Napi::CallbackInfo& info, size_t index, const Registry& registry,
                Entry* entry);

// listEntries(stateDir), findEntry(stateDir, id)
void define_registry(Napi::Env env, Napi::Object exports);

// ---- what differs between the systems: linux_registry.cc, dragonfly_registry.cc

// Has the monitor finished making it?
bool is_ready(const Entry& entry);

// What the kernel knows of jails and the registry does not, for one listing.
class Kernel {
 public:
  virtual ~Kernel() = default;
  // Before anything else.
  virtual bool look(Error* error) = 0;
  virtual bool has_process(const Registry& registry, const Entry& entry) = 0;
  // A jail that has been added to the listing, and the whole of it: for what is asked in one go.
  virtual void added(const Entry& entry) = 0;
  virtual void complete(Napi::Array jails) = 0;
};

std::unique_ptr<Kernel> make_kernel();

}  // namespace dfjail
