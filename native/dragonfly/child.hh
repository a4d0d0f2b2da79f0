#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "../common/error.hh"
#include "../common/unique_fd.hh"

// Short-lived children of the monitor that do one thing which changes a process for good: being
// imprisoned, changing its root, walking into somebody's tree.
namespace dfjail {

// Runs in the child; what it returns becomes the exit status (0–255). Descriptors from 3 on are
// closed but `channel`, which is 3 then. Secrets of the monitor are wiped.
using Errand = int (*)(void* context, int channel);

struct Answer {
  int status = 0;   // exit status of the errand
  int number = 0;   // errno when it could not be run or did not end in time (ETIMEDOUT)
  int value = 0;    // what the errand sent
  UniqueFd passed;  // and the descriptor that came along
};

// Forks, runs the errand (inside the jail, when jid is not 0), waits at most `milliseconds`. A
// child that does not end is killed: inside a jail its inhabitants can stop it. False: see number.
bool run_errand(uint32_t jid, Errand errand, void* context, int milliseconds, Answer* answer);
// The same, with `keep` among the errand's descriptors: kKept.
bool run_errand_with(int keep, uint32_t jid, Errand errand, void* context, int milliseconds,
                     Answer* answer);
constexpr int kKept = 4;

// For errands: one message with a number and, unless -1, a descriptor.
bool send_answer(int channel, int value, int fd);

void sleep_milliseconds(int milliseconds);
int64_t now_in_milliseconds();

// When a process of ours, or any that was seen, was last in a jail: listings of other programs may
// have its credentials for a moment longer.
void note_inside();
int64_t last_inside();

constexpr int kCannotEnter = 250;  // exit status: jail_attach failed, its errno is in `value`

}  // namespace dfjail
