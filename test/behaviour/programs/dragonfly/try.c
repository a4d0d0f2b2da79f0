/* Tries one thing that a jail must not allow, and prints "result ERRNO". Every attempt is harmless where it succeeds: it is
 * made on things of the test's own, or with arguments that no kernel takes (then the error tells whether the right was
 * there). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/param.h>
#include <net/if.h>
#include <net/if_var.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <vfs/tmpfs/tmpfs_mount.h>

static int done(long result) {
  printf("result %d\n", result < 0 ? errno : 0);
  fflush(stdout);
  return 0;
}

static socklen_t address_of(const char* text, int port, struct sockaddr_storage* out) {
  struct sockaddr_in* v4 = (struct sockaddr_in*)out;
  struct sockaddr_in6* v6 = (struct sockaddr_in6*)out;
  memset(out, 0, sizeof *out);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return v4->sin_len = sizeof *v4;
  }
  inet_pton(AF_INET6, text, &v6->sin6_addr);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  return v6->sin6_len = sizeof *v6;
}

/* bind ADDRESS PORT: there is no option here to bind what is not ours. */
static long try_bind(char** argv) {
  struct sockaddr_storage address;
  socklen_t size = address_of(argv[2], atoi(argv[3]), &address);
  int fd = socket(address.ss_family, SOCK_STREAM, 0);
  return fd < 0 ? -1 : bind(fd, (struct sockaddr*)&address, size);
}

/* add ADDRESS: to the loopback interface. */
static long try_add(char** argv) {
  struct sockaddr_storage address;
  struct in_aliasreq request;
  memset(&request, 0, sizeof request);
  address_of(argv[2], 0, &address);
  strlcpy(request.ifra_name, "lo0", sizeof request.ifra_name);
  memcpy(&request.ifra_addr, &address, sizeof request.ifra_addr);
  return ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCAIFADDR, &request);
}

/* sendfrom ADDRESS: a packet whose header says so, as raw sockets make it. */
static long try_send_from(char** argv) {
  struct sockaddr_storage from, to;
  socklen_t size = address_of(argv[2], 0, &from);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(fd, (struct sockaddr*)&from, size) < 0) return -1;
  size = address_of("127.0.0.1", 9, &to);
  return sendto(fd, "x", 1, 0, (struct sockaddr*)&to, size);
}

/* escape PATH: chroot below, climb up from a directory outside of the new root. */
static long try_escape(char** argv) {
  mkdir("/tmp/below", 0755);
  int here = open("/", O_RDONLY | O_DIRECTORY);
  if (chroot("/tmp/below") < 0) return -1;
  if (fchdir(here) < 0) return -1;
  for (int i = 0; i < 200; i++) {
    if (chdir("..") < 0) break;
  }
  if (chroot(".") < 0) return -1;
  return open(argv[2], O_RDONLY);
}

static long try_handle(void) {
  fhandle_t handle;
  if (getfh("/", &handle) < 0) return -1;
  return fhopen(&handle, O_RDONLY);
}

static long try_device(char** argv) {
  unlink("/tmp/disk");
  if (mknod("/tmp/disk", S_IFBLK | 0666, makedev(atoi(argv[2]), atoi(argv[3]))) < 0) return -1;
  return open("/tmp/disk", O_RDONLY);
}

static long try_shm(void) {
  int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  int failure = errno;
  if (id >= 0) shmctl(id, IPC_RMID, NULL);
  errno = failure;
  return id;
}

/* 6.x wants more of it than the headers of 5.9 say. */
static union {
  char room[1024];
  char* target;
  struct tmpfs_mount_info tmpfs;
} arguments;

static long try_mount(char** argv) {
  arguments.tmpfs.ta_version = TMPFS_ARGS_VERSION;
  arguments.tmpfs.ta_root_mode = 0755;
  return mount("tmpfs", argv[2], 0, &arguments);
}
static long mount_null(char* from, const char* to, int flags) {
  arguments.target = from;
  return mount("null", to, flags, &arguments);
}

static long try_it(const char* what, char** argv) {
  if (strcmp(what, "bind") == 0) return try_bind(argv);
  if (strcmp(what, "add") == 0) return try_add(argv);
  if (strcmp(what, "sendfrom") == 0) return try_send_from(argv);
  if (strcmp(what, "socket") == 0) return socket(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
  if (strcmp(what, "setuid") == 0) return setuid(atoi(argv[2]));
  if (strcmp(what, "sethostname") == 0) return sethostname(argv[2], (int)strlen(argv[2]));
  if (strcmp(what, "kill") == 0) return kill(atoi(argv[2]), atoi(argv[3]));
  if (strcmp(what, "open") == 0) return open(argv[2], O_RDONLY);
  if (strcmp(what, "write") == 0) return open(argv[2], O_WRONLY);
  if (strcmp(what, "mount") == 0) return try_mount(argv);
  if (strcmp(what, "bindmount") == 0) return mount_null(argv[2], argv[3], 0);
  if (strcmp(what, "remount") == 0) return mount_null(argv[2], argv[2], MNT_UPDATE);
  if (strcmp(what, "umount") == 0) return unmount(argv[2], MNT_FORCE);
  if (strcmp(what, "escape") == 0) return try_escape(argv);
  if (strcmp(what, "handle") == 0) return try_handle();
  if (strcmp(what, "device") == 0) return try_device(argv);
  if (strcmp(what, "shm") == 0) return try_shm();
  if (strcmp(what, "inject") == 0) return ioctl(0, TIOCSTI, "x");
  fprintf(stderr, "unknown attempt %s\n", what);
  exit(1);
}

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  return done(try_it(argv[1], argv));
}
