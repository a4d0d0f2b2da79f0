#include "class_value.hh"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "spec.hh"

namespace dfjail {
namespace {

// A letter behind a number, and what it multiplies that by.
struct Unit {
  char letter;
  uint64_t factor;
};
constexpr Unit kSizes[] = {{'b', 512},        {'k', 1ULL << 10}, {'m', 1ULL << 20},
                           {'g', 1ULL << 30}, {'t', 1ULL << 40}, {'\0', 0}};
constexpr Unit kTimes[] = {{'s', 1},       {'m', 60},         {'h', 3'600}, {'d', 86'400},
                           {'w', 604'800}, {'y', 31'536'000}, {'\0', 0}};
constexpr const char* kInfinite[] = {"infinity", "inf", "unlimited", "unlimit", "-1"};
constexpr size_t kLongestNumber = 128;

bool is_end(char c) { return c == ':' || c == '\0'; }

char named_character(char c) {
  constexpr char kNames[] = "b\bB\bt\tT\tn\nN\nf\fF\fr\rR\re\033E\033c:C:";
  for (const char* name = kNames; *name != '\0'; name += 2) {
    if (*name == c) return name[1];
  }
  return c;
}

char octal_character(const char** at) {
  int value = 0;
  for (int digits = 0; digits < 3 && **at >= '0' && **at <= '7'; digits++)
    value = value * 8 + (*(*at)++ - '0');
  return static_cast<char>(value);
}

// False at the end, and before it where an escape is cut short.
bool take_character(const char** at, char* out) {
  const char first = **at;
  if (is_end(first)) return false;
  (*at)++;
  *out = first;
  if (first != '^' && first != '\\') return true;
  if (is_end(**at)) return false;
  if (first == '\\' && **at >= '0' && **at <= '7') {
    *out = octal_character(at);
    return true;
  }
  const char next = *(*at)++;
  if (first == '\\') {
    *out = named_character(next);
  } else {
    *out = next == '?' ? '\177' : static_cast<char>(next & 037);
  }
  return true;
}

bool is_infinite(const char* text) {
  for (const char* name : kInfinite) {
    if (strcasecmp(text, name) == 0) return true;
  }
  return false;
}

bool take_integer(const char** text, int64_t* out) {
  char* end = nullptr;
  errno = 0;
  const long long value = strtoll(*text, &end, 0);
  if (end == *text || errno != 0) return false;
  *text = end;
  *out = value;
  return true;
}

bool take_factor(const char** text, const Unit* units, uint64_t* factor) {
  *factor = 1;
  if (**text == '\0') return true;
  for (const Unit* unit = units; unit->letter != '\0'; unit++) {
    if ((**text | 0x20) != unit->letter) continue;
    *factor = unit->factor;
    (*text)++;
    return true;
  }
  return false;
}

// The sum of all of it; false when it is more than a limit can be.
bool parse_sum(const char* value, const Unit* units, uint64_t* out) {
  char buffer[kLongestNumber];
  if (!decode_value(value, buffer, sizeof buffer)) return false;
  *out = kUnlimited;
  if (is_infinite(buffer)) return true;
  uint64_t sum = 0;
  for (const char* text = buffer; *text != '\0';) {
    int64_t number;
    uint64_t part;
    if (!take_integer(&text, &number) || number < 0 || !take_factor(&text, units, &part)) {
      return false;
    }
    if (__builtin_mul_overflow(part, static_cast<uint64_t>(number), &part)) return false;
    if (__builtin_add_overflow(sum, part, &sum) || sum > INT64_MAX) return false;
  }
  *out = sum;
  return true;
}

}  // namespace

bool decode_value(const char* value, char* out, size_t size) {
  size_t n = 0;
  char c;
  while (take_character(&value, &c)) {
    if (n + 1 >= size) return false;
    out[n++] = c;
  }
  out[n] = '\0';
  return true;
}

bool parse_size(const char* value, uint64_t* out) { return parse_sum(value, kSizes, out); }

bool parse_time(const char* value, uint64_t* out) { return parse_sum(value, kTimes, out); }

bool parse_number(const char* value, int64_t* out) {
  char buffer[kLongestNumber];
  if (!decode_value(value, buffer, sizeof buffer)) return false;
  const char* text = buffer;
  *out = INT64_MAX;
  return is_infinite(buffer) || take_integer(&text, out);
}

int64_t leading_number(const char* value) {
  int64_t number = 0;
  if (*value >= '0' && *value <= '9') take_integer(&value, &number);
  return number;
}

}  // namespace dfjail
