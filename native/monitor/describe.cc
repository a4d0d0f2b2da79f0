#include "describe.hh"

#include <stdio.h>
#include <string.h>

#include "../common/number.hh"

namespace dfjail {
namespace {

void append(char* text, size_t size, const char* item) {
  const size_t used = strlen(text);
  snprintf(text + used, size - used, "%s%s", used == 0 ? "" : " ", item);
}

bool take_colon(const char** text) {
  if (**text != ':') return false;
  ++*text;
  return true;
}

// "resource:soft:hard"
bool take_limit(const char** text, Limit* out) {
  return take_number(text, &out->resource) && take_colon(text) && take_number(text, &out->soft) &&
         take_colon(text) && take_number(text, &out->hard);
}

}  // namespace

bool describe_addresses(const JailSpec& spec, Address* addresses, Entry* entry, Error* error) {
  for (size_t i = 0; i < spec.address_count; i++) {
    char scope[16];
    if (!parse_address(spec.addresses[i], &addresses[i])) {
      return fail(error, "address", "inet_pton", spec.addresses[i], EINVAL);
    }
    append(entry->addresses, sizeof entry->addresses, spec.addresses[i]);
    snprintf(scope, sizeof scope, "%u", spec.scopeids[i]);
    append(entry->scopeids, sizeof entry->scopeids, scope);
  }
  return true;
}

void describe_limits(const JailSpec& spec, Jail* jail) {
  jail->limit_count = spec.limit_count;
  for (size_t i = 0; i < spec.limit_count; i++) {
    const Limit& limit = spec.limits[i];
    char text[64];
    jail->limits[i] = limit;
    snprintf(text, sizeof text, "%u:%llu:%llu", limit.resource,
             static_cast<unsigned long long>(limit.soft),
             static_cast<unsigned long long>(limit.hard));
    append(jail->entry.limits, sizeof jail->entry.limits, text);
  }
}

void parse_limits(Jail* jail) {
  const char* at = jail->entry.limits;
  Limit limit;
  while (jail->limit_count < kMaxLimits && take_limit(&at, &limit))
    jail->limits[jail->limit_count++] = limit;
}

bool is_plain_line(const char* text) {
  for (const char* at = text; *at != '\0'; at++) {
    const unsigned char byte = static_cast<unsigned char>(*at);
    const unsigned char next = static_cast<unsigned char>(at[1]);
    if (byte < 0x20 || byte == 0x7F) return false;
    if (byte == 0xC2 && next >= 0x80 && next < 0xA0) return false;  // U+0080 to U+009F
  }
  return true;
}

bool no_such_jail(uint32_t jid, Error* error) {
  char text[16];
  snprintf(text, sizeof text, "%u", jid);
  return fail_with_code(error, "enter", "ERR_JAIL_NOT_FOUND", text, "No running jail has this id.");
}

}  // namespace dfjail
