#include "calls.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>

extern const struct attempt linux_file_attempts[];
extern const struct attempt linux_process_attempts[];
extern const struct attempt mount_attempts[];
extern const struct attempt kernel_attempts[];
extern const struct attempt call_attempts[];
extern const struct attempt netlink_attempts[];
extern const struct attempt packet_attempts[];
extern const struct attempt window_attempts[];
extern const struct attempt program_attempts[];
extern const struct attempt count_attempts[];

const struct attempt* const system_attempts[] = {
    linux_file_attempts, linux_process_attempts, mount_attempts, kernel_attempts,
    call_attempts,       netlink_attempts,       packet_attempts, window_attempts,
    program_attempts,    count_attempts,         NULL};

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
void enter_namespaces(void) {
  int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;
  if (geteuid() != 0) {
    become_root_of_a_namespace(flags);
  } else if (unshare(flags) < 0) {
    perror("unshare");
    exit(9);
  }
  mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

void prepare_chroot(void) {
  if (geteuid() != 0) become_root_of_a_namespace(0);
}

/* IP_FREEBIND, else IP_TRANSPARENT. */
int make_free(int fd, int family) {
  int one = 1;
  int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
  if (setsockopt(fd, level, family == AF_INET ? 15 : 78, &one, sizeof one) == 0) return 0;
  return setsockopt(fd, level, family == AF_INET ? 19 : 75, &one, sizeof one);
}

int exchange_names(const char* one, const char* other) {
  return syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2 /* RENAME_EXCHANGE */) < 0 ? -1 : 0;
}

void allow_tracing(void) { prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); }
