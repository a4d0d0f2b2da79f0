/* Tries one thing that a jail must not allow, and prints "result ERRNO". Every attempt is harmless where it succeeds: it is
 * made on things of the test's own, or with arguments that no kernel takes (then the error tells whether the right was
 * there). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int done(int result) {
  printf("result %d\n", result < 0 ? errno : 0);
  fflush(stdout);
  return 0;
}

static int address_of(const char* text, int port, struct sockaddr_storage* out, socklen_t* size) {
  memset(out, 0, sizeof *out);
  struct sockaddr_in* v4 = (struct sockaddr_in*)out;
  struct sockaddr_in6* v6 = (struct sockaddr_in6*)out;
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    *size = sizeof *v4;
    return AF_INET;
  }
  inet_pton(AF_INET6, text, &v6->sin6_addr);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  *size = sizeof *v6;
  return AF_INET6;
}

/* What a 32-bit program would call: another table of calls, which filters like to forget. */
static long call32(long number, long a, long b, long c) {
#if defined(__x86_64__)
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
  if (result < 0 && result > -4096) { errno = -result; return -1; }
  return result;
#else
  errno = ENOSYS;
  return -1;
#endif
}

static void free_bind32(int fd, int level, int option) {
  int* memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (memory == MAP_FAILED) return;
  memory[16] = 1;
  int arguments[5] = {fd, level, option, (int)(uintptr_t)&memory[16], sizeof(int)};
  memcpy(memory, arguments, sizeof arguments);
  call32(102, 14, (long)(uintptr_t)memory, 0); /* socketcall(SYS_SETSOCKOPT) */
}

/* bind ADDRESS PORT [free|transparent|free32|x32] : the option may fail, what counts is the bind. */
static int try_bind(int argc, char** argv) {
  struct sockaddr_storage address;
  socklen_t size;
  int family = address_of(argv[2], atoi(argv[3]), &address, &size);
  int fd = socket(family, SOCK_STREAM, 0);
  if (fd < 0) return done(-1);
  int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
  int one = 1;
  const char* how = argc > 4 ? argv[4] : "";
  int free_option = family == AF_INET ? 15 : 78;
  int transparent = family == AF_INET ? 19 : 75;
  if (strcmp(how, "free") == 0) setsockopt(fd, level, free_option, &one, sizeof one);
  if (strcmp(how, "free4") == 0) setsockopt(fd, IPPROTO_IP, 15, &one, sizeof one);
  if (strcmp(how, "transparent") == 0) setsockopt(fd, level, transparent, &one, sizeof one);
  if (strcmp(how, "transparent4") == 0) setsockopt(fd, IPPROTO_IP, 19, &one, sizeof one);
  if (strcmp(how, "free32") == 0) free_bind32(fd, level, free_option);
  if (strcmp(how, "x32") == 0) syscall(0x40000000 | 541, fd, level, free_option, &one, sizeof one);
  if (strcmp(how, "high") == 0) syscall(SYS_setsockopt, fd, (1L << 32) | level, (1L << 32) | free_option, &one, sizeof one);
  return done(bind(fd, (struct sockaddr*)&address, size));
}

/* add ADDRESS: to the loopback interface. */
static int try_add(char** argv) {
  struct sockaddr_storage address;
  socklen_t size;
  address_of(argv[2], 0, &address, &size);
  struct ifreq request;
  memset(&request, 0, sizeof request);
  strcpy(request.ifr_name, "lo:1");
  memcpy(&request.ifr_addr, &address, sizeof request.ifr_addr);
  return done(ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFADDR, &request));
}

/* sendfrom ADDRESS: a packet from a foreign address by IP_PKTINFO. */
static int try_send_from(char** argv) {
  struct sockaddr_storage to;
  socklen_t size;
  address_of("127.0.0.1", 9, &to, &size);
  char control[CMSG_SPACE(sizeof(struct in_pktinfo))] = {0};
  struct iovec part = {"x", 1};
  struct msghdr message = {&to, size, &part, 1, control, sizeof control, 0};
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_PKTINFO;
  header->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
  struct in_pktinfo* info = (struct in_pktinfo*)CMSG_DATA(header);
  inet_pton(AF_INET, argv[2], &info->ipi_spec_dst);
  return done(sendmsg(socket(AF_INET, SOCK_DGRAM, 0), &message, 0));
}

/* escape PATH: chroot below, climb up from a directory outside of the new root. */
static int try_escape(char** argv) {
  mkdir("/tmp/below", 0755);
  int here = open("/", O_RDONLY | O_DIRECTORY);
  if (chroot("/tmp/below") < 0) return done(-1);
  if (fchdir(here) < 0) return done(-1);
  for (int i = 0; i < 200; i++) chdir("..");
  chroot(".");
  return done(open(argv[2], O_RDONLY));
}

static int try_handle(void) {
  struct { unsigned bytes; int type; unsigned char data[16]; } handle = {8, 1, {2}};
  int fd = open("/", O_RDONLY);
  return done(syscall(SYS_open_by_handle_at, fd, &handle, O_RDONLY));
}

static int try_device(char** argv) {
  unlink("/tmp/disk");
  if (mknod("/tmp/disk", S_IFBLK | 0666, makedev(atoi(argv[2]), atoi(argv[3]))) < 0) return done(-1);
  return done(open("/tmp/disk", O_RDONLY));
}

static int try_shm(void) {
  int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  int failure = errno;
  if (id >= 0) shmctl(id, IPC_RMID, NULL);
  errno = failure;
  return done(id);
}

/* userns through the older ways in */
static int in_new_namespace(void* unused) { return 0; }
static int try_clone(char** argv) {
  static char stack[65536];
  int pid = clone(in_new_namespace, stack + sizeof stack, atoi(argv[2]) | SIGCHLD, NULL);
  return done(pid);
}

static int try_number(int argc, char** argv) {
  long a[4] = {0};
  for (int i = 3; i < argc && i < 7; i++) a[i - 3] = strtol(argv[i], NULL, 0);
  return done((int)syscall(atol(argv[2]), a[0], a[1], a[2], a[3]));
}

int main(int argc, char** argv) {
  const char* what = argv[1];
  if (strcmp(what, "bind") == 0) return try_bind(argc, argv);
  if (strcmp(what, "add") == 0) return try_add(argv);
  if (strcmp(what, "sendfrom") == 0) return try_send_from(argv);
  if (strcmp(what, "socket") == 0) return done(socket(atoi(argv[2]), atoi(argv[3]), atoi(argv[4])));
  if (strcmp(what, "setuid") == 0) return done(setuid(atoi(argv[2])));
  if (strcmp(what, "sethostname") == 0) return done(sethostname(argv[2], strlen(argv[2])));
  if (strcmp(what, "kill") == 0) return done(kill(atoi(argv[2]), atoi(argv[3])));
  if (strcmp(what, "open") == 0) return done(open(argv[2], O_RDONLY));
  if (strcmp(what, "write") == 0) return done(open(argv[2], O_WRONLY));
  if (strcmp(what, "mount") == 0) return done(mount("none", argv[2], "tmpfs", 0, NULL));
  if (strcmp(what, "bindmount") == 0) return done(mount(argv[2], argv[3], NULL, MS_BIND, NULL));
  if (strcmp(what, "remount") == 0) return done(mount(NULL, argv[2], NULL, MS_REMOUNT | MS_BIND, NULL));
  if (strcmp(what, "umount") == 0) return done(umount2(argv[2], MNT_DETACH));
  if (strcmp(what, "unshare") == 0) return done(unshare(atoi(argv[2])));
  if (strcmp(what, "clone") == 0) return try_clone(argv);
  if (strcmp(what, "setns") == 0) return done(setns(open(argv[2], O_RDONLY), 0));
  if (strcmp(what, "escape") == 0) return try_escape(argv);
  if (strcmp(what, "handle") == 0) return try_handle();
  if (strcmp(what, "device") == 0) return try_device(argv);
  if (strcmp(what, "shm") == 0) return try_shm();
  if (strcmp(what, "call32") == 0) return done((int)call32(atol(argv[2]), 0, 0, 0));
  if (strcmp(what, "call") == 0) return try_number(argc, argv);
  if (strcmp(what, "inject") == 0) return done(ioctl(0, TIOCSTI, "x"));
  fprintf(stderr, "unknown attempt %s\n", what);
  return 1;
}
