#include "calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* ---- the program that runs in another process: is it a certain file of the host? */

static struct {
  long looked, opened, held, changed;
} loot;

/* Each leaves the file as it was, but for the time of its last change. */
static int change(int fd, const struct stat* file) {
  const struct timespec times[2] = {file->st_atim, file->st_mtim};
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int done = chmod(path, file->st_mode & 07777) == 0;
  done += utimensat(AT_FDCWD, path, times, 0) == 0;
  done += setxattr(path, "user.taken", "1", 1, 0) == 0;
  if (done > 0) removexattr(path, "user.taken");
  return done;
}

static void look_at(const char* pid, unsigned long device, unsigned long inode) {
  char path[300];
  snprintf(path, sizeof path, "/proc/%s/exe", pid);
  int fd = open(path, O_RDONLY);
  loot.looked++;
  loot.opened += fd >= 0;
  if (fd < 0) fd = open(path, O_PATH);
  struct stat file;
  if (fd >= 0 && fstat(fd, &file) == 0 && file.st_dev == device && file.st_ino == inode) {
    loot.held++;
    loot.changed += change(fd, &file);
  }
  if (fd >= 0) close(fd);
}

/* SECONDS MAJOR:MINOR INODE: of all processes, over and over */
static long take_program(char** args) {
  double end = now() + atof(args[0]);
  unsigned major_number, minor_number;
  if (sscanf(args[1], "%u:%u", &major_number, &minor_number) != 2) return fail_with(EINVAL);
  unsigned long device = makedev(major_number, minor_number), inode = strtoul(args[2], NULL, 10);
  printf("taking\n");
  fflush(stdout);
  while (now() < end) {
    DIR* all = opendir("/proc");
    if (all == NULL) return -1;
    for (struct dirent* entry; (entry = readdir(all)) != NULL;) {
      if (*entry->d_name >= '1' && *entry->d_name <= '9' && atoi(entry->d_name) != getpid())
        look_at(entry->d_name, device, inode);
    }
    closedir(all);
  }
  printf("{\"looked\":%ld,\"opened\":%ld,\"held\":%ld,\"changed\":%ld}\n", loot.looked, loot.opened, loot.held,
         loot.changed);
  return 0;
}

const struct attempt program_attempts[] = {{"take-program", take_program}, {NULL, NULL}};
