#include "calls.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>

/* ---- which calls get as far as the kernel's own code */

/* A filter below ours, whose verdicts a thread gives: it says that the call has worked. Of two filters the stricter one
 * decides, so this one is not asked about what ours refuses; and it is asked about calls that no kernel has yet. */
static int listen_for(int number) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof code[0], code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void* say_it_worked(void* listener) {
  int fd = (int)(intptr_t)listener;
  struct seccomp_notif asked = {0};
  if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0) return NULL;
  struct seccomp_notif_resp answer = {.id = asked.id};
  ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  return NULL;
}

/* NUMBER [FIRST ARGUMENT [SECOND [THIRD]]] */
static long reach_kernel(char** args) {
  int number = atoi(args[0]);
  unsigned long with[3] = {0};
  for (int i = 0; i < 3 && args[i + 1] != NULL; i++) with[i] = strtoul(args[i + 1], NULL, 0);
  int listener = listen_for(number);
  if (listener < 0) return printf("no listener: %s\n", strerror(errno)), -1;
  pthread_t thread;
  if (pthread_create(&thread, NULL, say_it_worked, (void*)(intptr_t)listener) != 0) return -1;
  return syscall(number, with[0], with[1], with[2], 0, 0, 0);
}

/* ---- calls of other architectures: getpid(2) by its number there */

static long call_as_32_bit(char** args) {
  (void)args;
#if defined(__x86_64__)
  long result = 20;
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result < 0 ? fail_with((int)-result) : 0;
#else
  return fail_with(ENOSYS);
#endif
}

static long call_as_x32(char** args) {
  (void)args;
  return syscall(0x40000000L | SYS_getpid);
}

/* ---- memory that is shared by a key or a name */

static long make_segment(char** args) { return shmget(atoi(args[0]), 4096, IPC_CREAT | 0666); }
static long find_segment(char** args) { return shmget(atoi(args[0]), 4096, 0); }
static long remove_segment(char** args) { return shmctl(shmget(atoi(args[0]), 0, 0), IPC_RMID, NULL); }
static long make_shared(char** args) { return shm_open(args[0], O_CREAT | O_RDWR, 0666); }
static long find_shared(char** args) { return shm_open(args[0], O_RDWR, 0); }
static long remove_shared(char** args) { return shm_unlink(args[0]); }

/* ---- page faults of the kernel, handled by us */

static long handle_faults(char** args) {
  (void)args;
  return syscall(SYS_userfaultfd, 1 /* of user space only, which everybody may */);
}

/* ---- namespaces, by the descriptors of ours */

/* PATH: of the namespace that it belongs to */
static long find_parent(char** args) {
  int fd = open(args[0], O_RDONLY);
  return fd < 0 ? -1 : ioctl(fd, _IO(0xB7, 2));
}

struct mount_namespace {
  unsigned size, mounts;
  unsigned long long id;
};
/* Of the kernel's list of all mount namespaces, the one before or after. */
static long find_neighbour(char** args) {
  struct mount_namespace found = {sizeof found, 0, 0};
  int fd = open(args[0], O_RDONLY);
  if (fd < 0) return -1;
  int next = ioctl(fd, _IOR(0xB7, 11, struct mount_namespace), &found);
  return next >= 0 ? next : ioctl(fd, _IOR(0xB7, 12, struct mount_namespace), &found);
}

const struct attempt call_attempts[] = {{"reach-kernel", reach_kernel},
                                        {"call-as-32-bit", call_as_32_bit},
                                        {"call-as-x32", call_as_x32},
                                        {"make-segment", make_segment},
                                        {"find-segment", find_segment},
                                        {"remove-segment", remove_segment},
                                        {"make-shared", make_shared},
                                        {"find-shared", find_shared},
                                        {"remove-shared", remove_shared},
                                        {"userfaultfd", handle_faults},
                                        {"find-parent", find_parent},
                                        {"find-neighbour", find_neighbour},
                                        {NULL, NULL}};
