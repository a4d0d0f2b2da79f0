#include "../attempt.h"

extern const struct attempt dragonfly_file_attempts[];
extern const struct attempt dragonfly_process_attempts[];
extern const struct attempt dragonfly_kernel_attempts[];
extern const struct attempt dragonfly_mount_attempts[];
extern const struct attempt dragonfly_network_attempts[];
extern const struct attempt dragonfly_window_attempts[];

const struct attempt* const system_attempts[] = {
    dragonfly_file_attempts,  dragonfly_process_attempts, dragonfly_kernel_attempts,
    dragonfly_mount_attempts, dragonfly_network_attempts, dragonfly_window_attempts, NULL};

/* There are none: the host itself is the control. */
void enter_namespaces(void) {}
void prepare_chroot(void) {}

/* There is no option for that: binding alone is the attempt. */
int make_free(int fd, int family) {
  (void)fd;
  (void)family;
  return fail_with(ENOPROTOOPT);
}

/* No call of this kernel exchanges two names at once. */
int exchange_names(const char* one, const char* other) {
  char aside[4096];
  snprintf(aside, sizeof aside, "%s.aside", one);
  if (rename(one, aside) < 0 || rename(other, one) < 0) return -1;
  return rename(aside, other);
}

/* Whoever may signal it may trace it. */
void allow_tracing(void) {}
