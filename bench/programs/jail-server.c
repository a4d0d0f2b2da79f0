// The least of every design in which somebody else than Node starts a program in a jail: vfork-server.c, and what it
// takes so that the program is jailed and the server safe from it.
//
// The child joins the anchor's namespaces, loses the rights that jailed root loses, and cannot call what this jail's
// capabilities refuse (what all jails are refused is installed once and costs a spawn nothing). It has its own session
// and three descriptors. It is not waited for until exec, as by vfork: inside it can be stopped. What failed on the way
// comes by a pipe, its end by a pidfd.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES \
  (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

static const long kSysv[] = {SYS_shmget, SYS_shmat,  SYS_shmctl, SYS_shmdt,
                             SYS_semget, SYS_semop,  SYS_semctl, SYS_semtimedop,
                             SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl};
static const int kLost[] = {CAP_LINUX_IMMUTABLE, CAP_NET_BROADCAST,   CAP_NET_ADMIN,
                            CAP_NET_RAW,         CAP_IPC_LOCK,        CAP_SYS_MODULE,
                            CAP_SYS_RAWIO,       CAP_SYS_PACCT,       CAP_SYS_BOOT,
                            CAP_SYS_TIME,        CAP_SYS_TTY_CONFIG,  CAP_MKNOD,
                            CAP_LEASE,           CAP_AUDIT_CONTROL,   CAP_MAC_OVERRIDE,
                            CAP_MAC_ADMIN,       CAP_SYSLOG,          CAP_WAKE_ALARM,
                            CAP_BLOCK_SUSPEND,   CAP_AUDIT_READ,      CAP_PERFMON,
                            CAP_BPF,             CAP_CHECKPOINT_RESTORE};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct sock_filter code[2 * COUNT(kSysv) + 2];
static struct sock_fprog program = {COUNT(code), code};

static void build_filter(void) {
  size_t n = 0;
  code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < COUNT(kSysv); i++) {
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)kSysv[i], 0, 1);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
  }
  code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

struct child {
  int anchor;
  int report;
  char *program;
};

static int become_jailed(int anchor) {
  if (setns(anchor, NAMESPACES) < 0) return -1;
  close(anchor);
  setsid();
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) return -1;
  for (size_t i = 0; i < COUNT(kLost); i++) prctl(PR_CAPBSET_DROP, kLost[i], 0, 0, 0);
  if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, 0, 0, 0) < 0) return -1;
  if (syscall(SYS_setresuid, 0, 0, 0) < 0) return -1;
  umask(022);
  return chdir("/");
}

static int run_child(void *argument) {
  const struct child *child = argument;
  char *arguments[] = {child->program, NULL};
  char *environment[] = {NULL};
  for (int fd = 1; fd < 3; fd++) dup2(0, fd);
  dup3(child->report, 3, O_CLOEXEC);
  dup3(child->anchor, 4, O_CLOEXEC);
  close_range(5, ~0U, 0);
  if (become_jailed(4) == 0) execve(child->program, arguments, environment);
  const char failed = 1;
  _exit(write(3, &failed, 1) == 1 ? 127 : 126);
}

// Its exit status, 255 when it could not be started.
static int run(int anchor, char *file) {
  static char stack[65536] __attribute__((aligned(16)));
  int report[2];
  int pidfd = -1;
  if (pipe2(report, O_CLOEXEC) < 0) return 255;
  struct child child = {anchor, report[1], file};
  const int flags = CLONE_VM | CLONE_PIDFD | SIGCHLD;
  const pid_t pid = clone(run_child, stack + sizeof stack, flags, &child, &pidfd);
  close(report[1]);
  if (pid < 0) return 255;
  struct pollfd ended = {pidfd, POLLIN, 0};
  poll(&ended, 1, -1);
  int status = 0;
  struct rusage usage;
  wait4(pid, &status, 0, &usage);
  char failed;
  const int was_started = read(report[0], &failed, 1) == 0;
  close(report[0]);
  close(pidfd);
  return was_started ? WEXITSTATUS(status) : 255;
}

// jail-server ANCHOR PROGRAM
int main(int argc, char **argv) {
  const int anchor = argc == 3 ? (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0) : -1;
  if (anchor < 0 || setns(anchor, CLONE_NEWPID) < 0) return 1;
  // Out of the way of the child's five.
  const int socket = fcntl(3, F_DUPFD_CLOEXEC, 10);
  const int inside = fcntl(anchor, F_DUPFD_CLOEXEC, 10);
  if (socket < 0 || inside < 0) return 1;
  close(3);
  close(anchor);
  for (int fd = 3; fd < 8; fd++) fcntl(0, F_DUPFD_CLOEXEC, fd);
  build_filter();
  char byte;
  while (recv(socket, &byte, 1, 0) == 1) {
    byte = (char)run(inside, argv[2]);
    if (send(socket, &byte, 1, MSG_NOSIGNAL) != 1) return 1;
  }
  return 0;
}
