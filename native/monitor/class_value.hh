#pragma once

#include <stddef.h>
#include <stdint.h>

// Values of getcap(3) and login.conf(5). They end at a colon or a NUL.
namespace dfjail {

// With its escapes resolved and a NUL behind it; false when it does not fit.
bool decode_value(const char* value, char* out, size_t size);

// "512k", "1g512m", in bytes; "1h30m", in seconds; kUnlimited for "infinity" and the like. False
// when it is none.
bool parse_size(const char* value, uint64_t* out);
bool parse_time(const char* value, uint64_t* out);
// INT64_MAX for "infinity". What follows the number is passed over.
bool parse_number(const char* value, int64_t* out);
// Of a numeric capability, `name#number`: 0 where there is none.
int64_t leading_number(const char* value);

}  // namespace dfjail
