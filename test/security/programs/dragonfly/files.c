#include "../attempt.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/param.h>
#include <sys/mount.h>
#include <sys/stat.h>

static long make_device(char** args) {
  unlink(args[0]);
  return mknod(args[0], S_IFBLK | 0666, makedev(atoi(args[1]), atoi(args[2])));
}

/* Where the file PATH is, for open-handle. */
static long print_handle(char** args) {
  fhandle_t handle;
  if (getfh(args[0], &handle) < 0) return -1;
  printf("handle 0 ");
  for (size_t i = 0; i < sizeof handle; i++) printf("%02x", ((unsigned char*)&handle)[i]);
  printf("\n");
  return 0;
}

/* DIRECTORY TYPE HEX: the first two are for systems that need them. */
static long open_handle(char** args) {
  fhandle_t handle;
  unsigned char* at = (unsigned char*)&handle;
  memset(&handle, 0, sizeof handle);
  for (size_t i = 0; i < sizeof handle && args[2][2 * i] != '\0'; i++) sscanf(args[2] + 2 * i, "%2hhx", at + i);
  return fhopen(&handle, O_RDONLY);
}

static int is_number(const char* text) {
  return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* Through every process in sight: procfs knows a process's program, and nothing else that it has open. */
static long search_processes(char** args) {
  struct stat secret, info;
  long looked = 0;
  unsigned long device = 0, inode = 0;
  if (args[1] != NULL) sscanf(args[1], "%lu:%lu", &device, &inode);
  memset(&secret, 0, sizeof secret);
  DIR* proc = opendir("/proc");
  for (struct dirent* item; proc != NULL && (item = readdir(proc)) != NULL;) {
    char path[4096];
    if (!is_number(item->d_name)) continue;
    looked++;
    snprintf(path, sizeof path, "/proc/%s/file", item->d_name);
    if (stat(path, &info) == 0 && info.st_dev == (dev_t)device && info.st_ino == inode)
      return printf("found %s\n", path);
  }
  printf("looked %ld\n", looked);
  return fail_with(ENOENT);
}

const struct attempt dragonfly_file_attempts[] = {{"make-device", make_device},
                                                  {"print-handle", print_handle},
                                                  {"open-handle", open_handle},
                                                  {"search-processes", search_processes},
                                                  {NULL, NULL}};
