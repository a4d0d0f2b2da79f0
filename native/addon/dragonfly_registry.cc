#include "registry.hh"

namespace dfjail {
namespace {

// Hostnames stay those that the jails were made with: the kernel's own are in jail.list. Who reads
// the registry reads the processes too, once for all jails; they are not read twice.
class DragonflyKernel : public Kernel {
 public:
  bool look(Error*) override { return true; }
  bool has_process(const Registry&, const Entry&) override { return false; }
  void added(const Entry&) override {}
  void complete(Napi::Array) override {}
};

}  // namespace

// What is not ready has a pending id.
bool is_ready(const Entry&) { return true; }

std::unique_ptr<Kernel> make_kernel() { return std::make_unique<DragonflyKernel>(); }

}  // namespace dfjail
