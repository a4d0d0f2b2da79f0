#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../common/unique_fd.hh"
#include "../monitor/protocol.hh"

// The other side of the protocol: a monitor of our own and what is said to it.
// docs/monitor-protocol.md.
namespace selftest {

struct Message {
  bool arrived = false;
  dfjail::Type type = dfjail::Type::kHello;
  uint32_t id = 0;
  unsigned char payload[8192];
  size_t size = 0;
  dfjail::Reader reader() const { return dfjail::Reader(payload, size); }
};

// What FAILED says.
struct Refusal {
  uint32_t number = 0;
  char code[64] = "";
  char syscall[64] = "";
  char step[64] = "";
  char path[256] = "";
  char detail[256] = "";
};

struct Spec {
  const char* path = "";
  const char* hostname = "selftest";
  const char* name = "";
  const char* addresses[64] = {};
  size_t address_count = 0;
  const char* interface = "";
  uint32_t capabilities = 1U | 8U;  // setHostname, unixIpRouteOnly
  dfjail::MountSpec mounts[12] = {};
  size_t mount_count = 0;
  uint64_t memory = ~0ULL;
  uint32_t flags = 0;

  void address(const char* text) { addresses[address_count++] = text; }
  void mount(dfjail::MountType type, const char* target, const char* source = "", uint32_t how = 0,
             const char* options = "") {
    mounts[mount_count++] = {type, target, source, how, options};
  }
};

struct Program {
  const char* argv[12] = {};
  const char* env[8] = {};
  const char* cwd = "/";
  const char* user = nullptr;  // a name
  long uid = -1;
  long gid = -1;
  uint32_t flags = 0;
  const dfjail::Limit* limit = nullptr;
  int stdio[4] = {-1, -1, -1, -1};  // -1: /dev/null; the fourth only when it is not
};

class Client {
 public:
  // Starts the monitor.
  bool start(const char* monitor);
  // A persistent jail's.
  bool connect(const char* socket_path);
  ~Client();
  Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool hello();
  uint32_t send(dfjail::Writer* writer, const int* fds = nullptr, size_t count = 0);
  bool send_raw(const void* bytes, size_t size);
  // The next message that answers `id` (0: that nobody asked for); others are kept back or dropped
  // with a note.
  Message receive(uint32_t id, int milliseconds = 20000);
  bool ended(int milliseconds = 10000);

  uint32_t create(const char* state, const Spec& spec);
  uint32_t attach(const char* state, uint32_t jid);
  uint32_t spawn(const Program& program);
  uint32_t stop(uint32_t signal, uint32_t grace);
  uint32_t signal(uint32_t command, uint32_t number);
  uint32_t capabilities(uint32_t bits);

  pid_t pid() const { return pid_; }
  void hang_up() { fd_.reset(); }
  // Waits for the monitor to be gone; -1 when it stays.
  int reap(int milliseconds = 10000);

 private:
  bool read_some(int milliseconds);
  bool take(Message* message);
  dfjail::UniqueFd fd_;
  pid_t pid_ = 0;
  uint32_t last_ = 0;
  unsigned char in_[64 * 1024];
  size_t used_ = 0;
  Message kept_[8];
  size_t kept_count_ = 0;
};

Refusal refusal_of(const Message& message);
void pause_for(int milliseconds);

}  // namespace selftest
