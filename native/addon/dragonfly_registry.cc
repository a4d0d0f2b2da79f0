#include "../dragonfly/processes.hh"
#include "registry.hh"

namespace dfjail {
namespace {

// The processes of the host at one moment. Hostnames stay those that the jails were made with: the
// kernel's own are in jail.list.
class DragonflyKernel : public Kernel {
 public:
  bool look(Error* error) override { return processes_.read(error); }
  bool has_process(const Registry& registry, const Entry& entry) override;
  void added(const Entry&) override {}
  void complete(Napi::Array) override {}

 private:
  ProcessList processes_;
};

bool DragonflyKernel::has_process(const Registry&, const Entry& entry) {
  for (const kinfo_proc& process : processes_) {
    if (is_in_jail(process, entry.jid) && is_alive(process)) return true;
  }
  return false;
}

}  // namespace

// What is not ready has a pending id.
bool is_ready(const Entry&) { return true; }

std::unique_ptr<Kernel> make_kernel() { return std::make_unique<DragonflyKernel>(); }

}  // namespace dfjail
