#include "calls.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

struct attributes {
  unsigned long long set, clear, propagation, namespace;
};

static long mount_new(char** args) { return mount("none", args[1], args[0], 0, NULL); }
static long bind(char** args) { return mount(args[0], args[1], NULL, MS_BIND, NULL); }
static long move(char** args) { return mount(args[0], args[1], NULL, MS_MOVE, NULL); }
static long unmount(char** args) { return umount2(args[0], MNT_DETACH); }
static long make_writable(char** args) {
  return mount(NULL, args[0], NULL, MS_REMOUNT | MS_BIND, NULL);
}

/* For the controls: a read-only view to play with. */
static long bind_read_only(char** args) {
  if (mount(args[0], args[1], NULL, MS_BIND, NULL) < 0) return -1;
  return mount(NULL, args[1], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
}
static long bind_then_make_writable(char** args) {
  return bind_read_only(args) < 0 ? -1 : make_writable(args + 1);
}
static long bind_then_unmount(char** args) { return bind(args) < 0 ? -1 : unmount(args + 1); }

static long pivot(char** args) {
  mount(args[0], args[0], NULL, MS_BIND, NULL);
  return chdir(args[0]) < 0 ? -1 : syscall(SYS_pivot_root, ".", ".");
}

static long new_file_system(char** args) {
  int fs = syscall(CALL_FSOPEN, args[0], 0);
  if (fs < 0 || syscall(CALL_FSCONFIG, fs, 6 /* CREATE */, NULL, NULL, 0) < 0) return -1;
  int tree = syscall(CALL_FSMOUNT, fs, 0, 0);
  return tree < 0 ? -1 : syscall(CALL_MOVE_MOUNT, tree, "", AT_FDCWD, args[1], 4);
}

static int copy_tree(const char* path) {
  return syscall(CALL_OPEN_TREE, AT_FDCWD, path, 1 /* CLONE */);
}
static long copy_mount(char** args) { return copy_tree(args[0]); }
static long move_copy(char** args) {
  int tree = copy_tree(args[0]);
  return tree < 0 ? -1 : syscall(CALL_MOVE_MOUNT, tree, "", AT_FDCWD, args[1], 4);
}

/* Of the mount itself, or where that is refused of a copy. */
static long clear_read_only(char** args) {
  struct attributes attributes = {.clear = 1 /* RDONLY */};
  return syscall(CALL_MOUNT_SETATTR, AT_FDCWD, args[0], 0, &attributes, sizeof attributes);
}
static long clear_bound_read_only(char** args) {
  return bind_read_only(args) < 0 ? -1 : clear_read_only(args + 1);
}

const struct attempt mount_attempts[] = {{"mount", mount_new},
                                         {"bind", bind},
                                         {"move", move},
                                         {"umount", unmount},
                                         {"make-writable", make_writable},
                                         {"bind-then-make-writable", bind_then_make_writable},
                                         {"bind-then-umount", bind_then_unmount},
                                         {"pivot-root", pivot},
                                         {"new-file-system", new_file_system},
                                         {"copy-mount", copy_mount},
                                         {"move-copy", move_copy},
                                         {"clear-read-only", clear_read_only},
                                         {"clear-bound-read-only", clear_bound_read_only},
                                         {NULL, NULL}};
