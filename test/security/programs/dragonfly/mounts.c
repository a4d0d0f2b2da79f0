#include "../attempt.h"

#include <sys/param.h>
#include <sys/mount.h>
#include <vfs/tmpfs/tmpfs_mount.h>

/* The kernel of 6.x wants more of it than this one's headers say. */
static union {
  char room[1024];
  struct {
    char* target;
  } null;
} null_arguments;

static long mount_new(char** args) {
  static union {
    char room[1024];
    struct tmpfs_mount_info info;
  } arguments;
  memset(&arguments, 0, sizeof arguments);
  arguments.info.ta_version = TMPFS_ARGS_VERSION;
  arguments.info.ta_root_mode = 0755;
  return mount(args[0], args[1], 0, &arguments);
}

static long bind_to(const char* from, const char* to, int flags) {
  memset(&null_arguments, 0, sizeof null_arguments);
  null_arguments.null.target = (char*)(unsigned long)from;
  return mount("null", to, flags, &null_arguments);
}
static long bind(char** args) { return bind_to(args[0], args[1], 0); }
static long make_writable(char** args) { return bind_to(args[0], args[0], MNT_UPDATE); }
static long unmount_it(char** args) { return unmount(args[0], MNT_FORCE); }
static long bind_then_unmount(char** args) { return bind(args) < 0 ? -1 : unmount_it(args + 1); }
const struct attempt dragonfly_mount_attempts[] = {{"mount", mount_new},
                                                   {"bind", bind},
                                                   {"umount", unmount_it},
                                                   {"make-writable", make_writable},
                                                   {"bind-then-umount", bind_then_unmount},
                                                   {NULL, NULL}};
