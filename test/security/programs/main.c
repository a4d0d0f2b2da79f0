#include "attempt.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

static const struct attempt* const groups[] = {file_attempts,    mount_attempts,   kernel_attempts,
                                               process_attempts, network_attempts, limit_attempts,
                                               loop_attempts,    call_attempts,    netlink_attempts};

static void write_text(const char* path, const char* text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) perror(path);
  close(fd);
}

static void become_root_of_a_namespace(int flags) {
  char map[64];
  int uid = geteuid(), gid = getegid();
  if (unshare(CLONE_NEWUSER | flags) < 0) {
    perror("unshare");
    exit(9);
  }
  write_text("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "0 %d 1", uid);
  write_text("/proc/self/uid_map", map);
  snprintf(map, sizeof map, "0 %d 1", gid);
  write_text("/proc/self/gid_map", map);
}

/* The control of what only a root can do: namespaces of its own, whose root it is, and no jail. */
static void enter_namespaces(void) {
  int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;
  if (geteuid() != 0) {
    become_root_of_a_namespace(flags);
  } else if (unshare(flags) < 0) {
    perror("unshare");
    exit(9);
  }
  mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* The control of what leads out of a root directory: chroot(2) alone. */
static void enter_chroot(const char* path) {
  if (geteuid() != 0) become_root_of_a_namespace(0);
  if (chroot(path) < 0 || chdir("/") < 0) perror("chroot");
}

static const struct attempt* find(const char* name) {
  for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
    for (const struct attempt* a = groups[g]; a->name != NULL; a++) {
      if (strcmp(a->name, name) == 0) return a;
    }
  }
  return NULL;
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
