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
  // What one process does after the other. Two of them make a jail at the same time.
  struct Track {
    size_t count;
    uint64_t since;  // the end of the step before
    Note notes[kMost];
  };
  Track main;
  Track anchor;
  size_t forked;  // how many of the main track are from before the anchor's
};

// Null: nobody asked. Else memory that forked children share, for some of the steps are their work.
// What is in it decides nothing, and its bounds are checked by whoever reads it.
inline Steps* the_steps = nullptr;
// Where this process notes its own.
inline Steps::Track* this_track = nullptr;

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
  this_track = &the_steps->main;
  this_track->since = nanoseconds_now();
}

inline void forget_steps() {
  if (the_steps != nullptr) munmap(the_steps, sizeof(Steps));
  the_steps = nullptr;
  this_track = nullptr;
}

// In the process that becomes the anchor: it goes on beside the others.
inline void begin_anchor_steps() {
  if (the_steps == nullptr) return;
  the_steps->forked = the_steps->main.count;
  the_steps->anchor.since = the_steps->main.since;
  this_track = &the_steps->anchor;
}

// After somebody else was waited for: that is no part of the next step.
inline void resume_steps() {
  if (this_track != nullptr) this_track->since = nanoseconds_now();
}

// What was done since the last note was this step, by the name that its errors have.
inline void step_done(const char* step) {
  if (this_track == nullptr) return;
  const size_t i = this_track->count;
  if (i >= Steps::kMost) return;
  const uint64_t now = nanoseconds_now();
  Steps::Note& note = this_track->notes[i];
  this_track->count = i + 1;
  copy_text(note.step, step);
  note.nanoseconds = now - this_track->since;
  this_track->since = now;
}

// In the order of Jail.plan(): the anchor's where it began.
template <typename Visit>
void each_step(Visit visit) {
  if (the_steps == nullptr) return;
  const Steps::Track& main = the_steps->main;
  const size_t count = main.count < Steps::kMost ? main.count : Steps::kMost;
  const size_t before = the_steps->forked < count ? the_steps->forked : count;
  const Steps::Track& anchor = the_steps->anchor;
  const size_t beside = anchor.count < Steps::kMost ? anchor.count : Steps::kMost;
  for (size_t i = 0; i < before; i++) visit(main.notes[i]);
  for (size_t i = 0; i < beside; i++) visit(anchor.notes[i]);
  for (size_t i = before; i < count; i++) visit(main.notes[i]);
}

}  // namespace dfjail
