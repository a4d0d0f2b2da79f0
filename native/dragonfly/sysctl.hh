#pragma once

#include <stddef.h>
#include <stdint.h>

// The sysctl tree by name and by number, without sysctl(8). Every function returns false with errno
// set.
namespace dfjail {

constexpr size_t kMaxMib = 12;

struct Mib {
  int at[kMaxMib] = {};
  size_t length = 0;
};

// Numbers below `jail` are given out at boot and when a jail is made: look them up each time.
bool sysctl_find(const char* name, Mib* mib);

// *size: bytes of room, then bytes filled. ENOMEM: too small; *size then says nothing about what is
// needed.
bool sysctl_get(const Mib& mib, void* value, size_t* size);
// Whatever its size, which may grow between two looks: allocated with malloc, `slack` more than
// announced at first. Also repeats after ERANGE, which jail.list answers when a jail was made
// meanwhile. Null with errno.
void* sysctl_get_all(const Mib& mib, size_t slack, size_t* size);
bool sysctl_get_int(const char* name, int* value);
bool sysctl_exists(const char* name);

bool sysctl_set(const Mib& mib, const void* value, size_t size);
bool sysctl_set_int(const char* name, int value);

// The next leaf after `mib` in the order of the tree; an empty one starts at its beginning. ENOENT:
// that was the last.
bool sysctl_next(const Mib& mib, Mib* next);
bool sysctl_name(const Mib& mib, char* name, size_t size);
// kind: the low five bits are the type (1 node, 2 int, 3 string, 4 quad, 5 opaque, 0x11 a bit of a
// 64-bit word, …), the upper ones flags. format: as the kernel describes it ("I", "A", "S,proc").
bool sysctl_type(const Mib& mib, uint32_t* kind, char* format, size_t size);
bool sysctl_description(const Mib& mib, char* text, size_t size);

}  // namespace dfjail
