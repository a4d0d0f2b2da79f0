#pragma once

#include <stddef.h>
#include <stdint.h>

// The layouts that this binary was compiled with. They differ between releases, so codecs elsewhere
// get bytes together with this table and never guess.
namespace dfjail {

struct AbiField {
  const char* structure;
  const char* field;  // "": the structure itself; its size
  uint32_t offset;
  uint32_t size;
};

struct AbiConstant {
  const char* name;
  int64_t value;
};

const AbiField* abi_fields(size_t* count);
const AbiConstant* abi_constants(size_t* count);

}  // namespace dfjail
