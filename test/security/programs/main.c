#include "attempt.h"

static const struct attempt* const groups[] = {file_attempts, process_attempts, network_attempts, limit_attempts,
                                               loop_attempts, NULL};

/* The control of what leads out of a root directory: chroot(2) alone. */
static void enter_chroot(const char* path) {
  prepare_chroot();
  if (chroot(path) < 0 || chdir("/") < 0) perror("chroot");
}

static const struct attempt* find_in(const struct attempt* const* among, const char* name) {
  for (; *among != NULL; among++) {
    for (const struct attempt* a = *among; a->name != NULL; a++) {
      if (strcmp(a->name, name) == 0) return a;
    }
  }
  return NULL;
}

static const struct attempt* find(const char* name) {
  const struct attempt* found = find_in(groups, name);
  return found != NULL ? found : find_in(system_attempts, name);
}

int main(int argc, char** argv) {
  char** at = argv + 1;
  if (argc > 1 && strcmp(*at, "--in-namespaces") == 0) {
    enter_namespaces();
    at++;
  } else if (argc > 2 && strcmp(*at, "--in-chroot") == 0) {
    enter_chroot(at[1]);
    at += 2;
  }
  const struct attempt* attempt = *at == NULL ? NULL : find(*at);
  if (attempt == NULL) {
    fprintf(stderr, "unknown attempt %s\n", *at == NULL ? "" : *at);
    return 1;
  }
  long result = attempt->run(at + 1);
  printf("result %d\n", result < 0 ? errno : 0);
  return 0;
}
