#include "connections.hh"

#include <stdlib.h>
#include <string.h>

#include "../common/words.hh"
#include "sysctl.hh"
#include "system_tcp.hh"

namespace dfjail {
namespace {

constexpr const char* kList = "net.inet.tcp.pcblist";

// Those that come after the process's own close.
const char* ending_state(int state) {
  switch (state) {
    case TCPS_FIN_WAIT_1:
      return "FIN_WAIT_1";
    case TCPS_CLOSING:
      return "CLOSING";
    case TCPS_LAST_ACK:
      return "LAST_ACK";
    case TCPS_FIN_WAIT_2:
      return "FIN_WAIT_2";
    case TCPS_TIME_WAIT:
      return "TIME_WAIT";
    default:
      return nullptr;
  }
}

Address address_of(int family, const in_dependaddr& bytes) {
  Address address;
  address.family = family;
  if (family == AF_INET) memcpy(address.bytes, &bytes.id46_addr.ia46_addr4, 4);
  if (family == AF_INET6) memcpy(address.bytes, &bytes.id6_addr, 16);
  return address;
}

uint16_t host_order(uint16_t port) { return static_cast<uint16_t>(port << 8U | port >> 8U); }

EndingConnection describe(const xtcpcb& record, const char* state) {
  const in_endpoints& ends = record.xt_inp.inp_inc.inc_ie;
  const int family = record.xt_inp.inp_af;
  return {address_of(family, ends.ie_dependladdr), address_of(family, ends.ie_dependfaddr),
          host_order(ends.ie_lport), host_order(ends.ie_fport), state};
}

struct Search {
  const char* addresses;
  bool found;
};

bool is_of_these(void* context, const EndingConnection& connection) {
  Search* search = static_cast<Search*>(context);
  char word[64];
  Address address;
  for (const char* at = search->addresses; take_word(&at, word);) {
    if (parse_address(word, &address) && address == connection.local) search->found = true;
  }
  return !search->found;
}

}  // namespace

bool each_ending_connection(bool (*visit)(void* context, const EndingConnection& connection),
                            void* context, Error* error) {
  Mib mib;
  size_t size = 0;
  if (!sysctl_find(kList, &mib)) return fail(error, "connections", "sysctl", kList);
  char* bytes = static_cast<char*>(sysctl_get_all(mib, 16 * sizeof(xtcpcb), &size));
  if (bytes == nullptr) return fail(error, "connections", "sysctl", kList);
  bool ok = true;
  for (size_t at = 0; ok && at + sizeof(xtcpcb) <= size; at += sizeof(xtcpcb)) {
    const xtcpcb& record = *reinterpret_cast<const xtcpcb*>(bytes + at);
    // Records carry their own size: of another release there is nothing to be read.
    if (record.xt_len != sizeof record) break;
    const char* state = ending_state(record.xt_tp.t_state);
    if (state != nullptr) ok = visit(context, describe(record, state));
  }
  free(bytes);
  return true;
}

bool has_ending_connection(const char* addresses) {
  Search search = {addresses, false};
  Error ignored;
  each_ending_connection(is_of_these, &search, &ignored);
  return search.found;
}

}  // namespace dfjail
