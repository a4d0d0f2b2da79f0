#include <vector>

#include "../linux/hostname.hh"
#include "../linux/processes.hh"
#include "registry.hh"

namespace dfjail {
namespace {

// A jail may rename itself: the hostnames are those that its jails have now.
class LinuxKernel : public Kernel {
 public:
  bool look(Error*) override { return true; }
  bool has_process(const Registry& registry, const Entry& entry) override {
    return dfjail::has_process(registry.state.get(), entry);
  }
  void added(const Entry& entry) override { hostnames_.emplace_back(entry); }
  void complete(Napi::Array jails) override;

 private:
  std::vector<HostnameQuery> hostnames_;
};

void LinuxKernel::complete(Napi::Array jails) {
  const Napi::Env env = jails.Env();
  current_hostnames(hostnames_.data(), hostnames_.size());
  for (uint32_t i = 0; i < hostnames_.size(); i++) {
    const Napi::HandleScope scope(env);
    const Napi::Value jail = jails.Get(i);
    jail.As<Napi::Object>().Set("hostname", Napi::String::New(env, hostnames_[i].hostname));
  }
}

}  // namespace

bool is_ready(const Entry& entry) { return entry.anchor > 0; }

std::unique_ptr<Kernel> make_kernel() { return std::make_unique<LinuxKernel>(); }

}  // namespace dfjail
