#include "attempt.h"

#include <fcntl.h>
#include <sys/stat.h>

static long open_to_read(char** args) { return open(args[0], O_RDONLY | O_NONBLOCK); }
static long open_to_write(char** args) { return open(args[0], O_WRONLY | O_NONBLOCK); }

static long write_value(char** args) {
  int fd = open(args[0], O_WRONLY);
  return fd < 0 ? -1 : write(fd, args[1], strlen(args[1]));
}

/* A second root below the first, then up from a directory that is outside of it: by a kept descriptor, or because the
 * working directory stays where it was. */
static long climb(char** args, int keep_descriptor) {
  const char* below = "/tmp/below";
  mkdir("/tmp", 0755);
  mkdir(below, 0755);
  int here = open("/", O_RDONLY | O_DIRECTORY);
  if (chdir("/") < 0 || chroot(below) < 0) return -1;
  if (keep_descriptor && fchdir(here) < 0) return -1;
  for (int i = 0; i < 200; i++) {
    if (chdir("..") < 0) break;
  }
  /* For absolute paths; DragonFly refuses it to who is in one already and has a directory open. */
  if (chroot(".") < 0 && errno != EPERM) return -1;
  return open(args[0], O_RDONLY);
}
static long climb_by_descriptor(char** args) { return climb(args, 1); }
static long climb_by_directory(char** args) { return climb(args, 0); }

/* The numbers of all open descriptors with what they are, one a line. */
static long list_descriptors(char** args) {
  (void)args;
  for (int fd = 0; fd < 4096; fd++) {
    struct stat info;
    if (fstat(fd, &info) == 0) printf("descriptor %d %o\n", fd, info.st_mode & S_IFMT);
  }
  return 0;
}

/* Out by any directory that was left open: DESCRIPTORS tried, each as a start. */
static long leave_by_descriptors(char** args) {
  for (int fd = 3; fd < 4096; fd++) {
    if (fchdir(fd) < 0) continue;
    char path[4096];
    snprintf(path, sizeof path, "../../../../../../../../../../../../%s", args[0]);
    int found = open(path, O_RDONLY);
    if (found < 0) found = open(args[0] + 1, O_RDONLY);
    if (found >= 0) return found;
  }
  return fail_with(ENOENT);
}

static long run_program(char** args) {
  fflush(stdout);
  return execv(args[0], args);
}

/* Become USER, then run a program: what its set-user-id bit is worth is for that program to say. */
static long run_as(char** args) {
  if (setgid(atoi(args[0])) < 0 || setuid(atoi(args[0])) < 0) return -1;
  return run_program(args + 1);
}

static long print_ids(char** args) {
  (void)args;
  printf("ids %d %d\n", (int)getuid(), (int)geteuid());
  return 0;
}

const struct attempt file_attempts[] = {{"open", open_to_read},
                                        {"open-to-write", open_to_write},
                                        {"write", write_value},
                                        {"climb-by-descriptor", climb_by_descriptor},
                                        {"climb-by-directory", climb_by_directory},
                                        {"list-descriptors", list_descriptors},
                                        {"leave-by-descriptors", leave_by_descriptors},
                                        {"run", run_program},
                                        {"run-as", run_as},
                                        {"print-ids", print_ids},
                                        {NULL, NULL}};
