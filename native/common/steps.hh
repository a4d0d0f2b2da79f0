#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#include "error.hh"

// How long each step took, for a program that has asked (HELLO's flag). Nobody has: each step costs
// one comparison.
namespace dfjail {

struct Steps {
  static constexpr size_t kMost = 600;  // mounts and addresses, and a few more
  struct Note {
    char step[16];
    uint64_t nanoseconds;
  };
  size_t count;
  uint64_t since;  // the end of the step before
  Note notes[kMost];
};

// Null: nobody asked. Else memory that forked children share, for some of the steps are their work.
// What is in it decides nothing, and its bounds are checked by whoever reads it.
inline Steps* the_steps = nullptr;

inline uint64_t nanoseconds_now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000U + static_cast<uint64_t>(now.tv_nsec);
}

// From now on; without memory there is nothing to tell.
inline void begin_steps() {
  if (the_steps != nullptr) return;
  constexpr int kHow = MAP_SHARED | MAP_ANON;
  void* memory = mmap(nullptr, sizeof(Steps), PROT_READ | PROT_WRITE, kHow, -1, 0);
  if (memory == MAP_FAILED) return;
  the_steps = static_cast<Steps*>(memory);  // all zero
  the_steps->since = nanoseconds_now();
}

inline void forget_steps() {
  if (the_steps != nullptr) munmap(the_steps, sizeof(Steps));
  the_steps = nullptr;
}

// What was done since the last note was this step, by the name that its errors have.
inline void step_done(const char* step) {
  if (the_steps == nullptr) return;
  const size_t i = the_steps->count;
  if (i >= Steps::kMost) return;
  const uint64_t now = nanoseconds_now();
  Steps::Note& note = the_steps->notes[i];
  the_steps->count = i + 1;
  copy_text(note.step, step);
  note.nanoseconds = now - the_steps->since;
  the_steps->since = now;
}

}  // namespace dfjail
