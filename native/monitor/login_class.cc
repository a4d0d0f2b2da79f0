#include "login_class.hh"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "class_value.hh"
#include "spec.hh"

// A record of getcap(3): its names with `|` between them, then fields, each with a colon before it.
namespace dfjail {
namespace {

constexpr char kInclusion[] = "tc=";
constexpr size_t kLongestName = 256;

// A line that ends with a backslash goes on in the next one.
const char* end_of_record(const char* text) {
  const char* end = strchr(text, '\n');
  while (end != nullptr && end > text && end[-1] == '\\') end = strchr(end + 1, '\n');
  return end == nullptr ? text + strlen(text) : end;
}

bool has_name(const char* record, const char* name) {
  const size_t n = strlen(name);
  for (const char* at = record; n > 0;) {
    const size_t length = strcspn(at, "|:\n");
    if (length == n && strncmp(at, name, n) == 0) return true;
    if (at[length] != '|') return false;
    at += length + 1;
  }
  return false;
}

const char* find_record(const char* text, const char* name, const char** end) {
  for (const char* at = text; *at != '\0';) {
    *end = end_of_record(at);
    if (*at != '#' && has_name(at, name)) return at;
    at = **end == '\0' ? *end : *end + 1;
  }
  return nullptr;
}

// Copies a record, or a part of one, without what continues its lines; the length either way.
size_t join_lines(const char* from, const char* end, char* out) {
  size_t n = 0;
  for (const char* c = from; c < end; c++) {
    if (c[0] == '\\' && c + 1 < end && c[1] == '\n') {
      c++;
    } else {
      if (out != nullptr) out[n] = *c;
      n++;
    }
  }
  return n;
}

const char* next_field(const char* at) {
  const char* colon = strchr(at, ':');
  return colon == nullptr ? nullptr : colon + 1;
}

// The value of the first field `name`, kind, value; null when there is none, or one that takes it
// back with an `@` comes first.
const char* find_value(const char* record, const char* name, char kind) {
  const size_t n = strlen(name);
  for (const char* at = next_field(record); at != nullptr; at = next_field(at)) {
    if (strncmp(at, name, n) != 0) continue;
    if (at[n] == '@') return nullptr;
    if (at[n] == kind) return at[n + 1] == '@' ? nullptr : at + n + 1;
  }
  return nullptr;
}

}  // namespace

ClassLookup LoginClass::find(const char* text, const char* name) {
  const char* end;
  const char* record = find_record(text, name, &end);
  if (record == nullptr) return ClassLookup::kMissing;
  length_ = join_lines(record, end, nullptr);
  if (length_ >= sizeof record_) return ClassLookup::kTooLong;
  join_lines(record, end, record_);
  record_[length_] = '\0';
  size_t from = 0;
  for (size_t inclusions = 0; inclusions <= kMaxInclusions; inclusions++) {
    const char* value = find_value(record_ + from, "tc", '=');
    if (value == nullptr) return ClassLookup::kFound;
    const size_t at = static_cast<size_t>(value - record_) - strlen(kInclusion);
    const ClassLookup result = include(text, at);
    if (result != ClassLookup::kFound) return result;
    from = at - 1;  // the colon before what has come in
  }
  return ClassLookup::kLoop;
}

// Puts the fields of the class that the tc= there names in its place.
ClassLookup LoginClass::include(const char* text, size_t at) {
  const size_t old = strcspn(record_ + at, ":");
  const size_t length = old - strlen(kInclusion);
  char name[kLongestName];
  if (length >= sizeof name) return ClassLookup::kUnresolved;
  memcpy(name, record_ + at + strlen(kInclusion), length);
  name[length] = '\0';
  const char* end;
  const char* record = find_record(text, name, &end);
  if (record == nullptr) return ClassLookup::kUnresolved;
  const char* fields = next_field(record);
  if (fields == nullptr || fields > end) fields = end;
  const size_t added = join_lines(fields, end, nullptr);
  if (length_ - old + added >= sizeof record_) return ClassLookup::kTooLong;
  memmove(record_ + at + added, record_ + at + old, length_ - at - old + 1);
  join_lines(fields, end, record_ + at);
  length_ = length_ - old + added;
  return ClassLookup::kFound;
}

const char* LoginClass::text(const char* capability) const {
  return find_value(record_, capability, '=');
}

bool LoginClass::size(const char* capability, uint64_t* out) const {
  const char* value = text(capability);
  return value != nullptr && parse_size(value, out);
}

bool LoginClass::time(const char* capability, uint64_t* out) const {
  const char* value = text(capability);
  return value != nullptr && parse_time(value, out);
}

bool LoginClass::number(const char* capability, int64_t* out) const {
  const char* value = text(capability);
  if (value != nullptr) return parse_number(value, out);
  value = find_value(record_, capability, '#');
  if (value != nullptr) *out = leading_number(value);
  return value != nullptr;
}

}  // namespace dfjail
