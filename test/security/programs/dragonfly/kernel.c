#include "../attempt.h"

#include <fcntl.h>
#include <kenv.h>
#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/jail.h>
#include <sys/linker.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/time.h>

/* Arguments that no kernel takes: any error but these says that the right was there. */
static long unless_forbidden(long result) {
  return result < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS) ? -1 : 0;
}

static long name_host(char** args) { return sethostname(args[0], (int)strlen(args[0])); }

static long load_module(char** args) {
  (void)args;
  return unless_forbidden(kldload("no_such_module"));
}
static long remove_module(char** args) {
  (void)args;
  return unless_forbidden(kldunload(1 << 20));
}
static long swap_on(char** args) {
  (void)args;
  return unless_forbidden(swapon("/no/such/device"));
}
static long account(char** args) {
  (void)args;
  return unless_forbidden(acct("/no/such/file"));
}
static long set_clock(char** args) {
  (void)args;
  return unless_forbidden(settimeofday(NULL, NULL));
}
static long step_clock(char** args) {
  (void)args;
  struct timespec nonsense = {0, -1};
  return unless_forbidden(clock_settime(CLOCK_REALTIME, &nonsense));
}
static long set_environment(char** args) {
  (void)args;
  return kenv(KENV_SET, "dfjail.test", "x", 2);
}
/* For the inside alone: where it is allowed it happens. */
static long restart(char** args) {
  (void)args;
  return reboot(RB_NOSYNC);
}

/* NAME: a number of the kernel's, to what it is already. */
static long write_setting(char** args) {
  int value = 0;
  size_t size = sizeof value;
  if (sysctlbyname(args[0], &value, &size, NULL, 0) < 0) return -1;
  return sysctlbyname(args[0], NULL, NULL, &value, size);
}

/* Of a root that is not there: whoever may make jails is told that. */
static long make_jail(char** args) {
  (void)args;
  struct jail about;
  memset(&about, 0, sizeof about);
  about.version = 1;
  about.path = (char*)"/no/such/root";
  about.hostname = (char*)"nested";
  return unless_forbidden(jail(&about));
}
/* JID */
static long enter_jail(char** args) { return jail_attach(atoi(args[0])); }

/* A flag that only root may take away again. */
static long make_immutable(char** args) {
  if (chflags(args[0], SF_NOUNLINK) < 0) return -1;
  return chflags(args[0], 0);
}

static long make_segment(char** args) { return shmget(atoi(args[0]), 4096, IPC_CREAT | 0666); }
static long find_segment(char** args) { return shmget(atoi(args[0]), 4096, 0); }
static long remove_segment(char** args) { return shmctl(shmget(atoi(args[0]), 0, 0), IPC_RMID, NULL); }
static long make_shared(char** args) { return shm_open(args[0], O_CREAT | O_RDWR, 0666); }
static long find_shared(char** args) { return shm_open(args[0], O_RDWR, 0); }
static long remove_shared(char** args) { return shm_unlink(args[0]); }

const struct attempt dragonfly_kernel_attempts[] = {{"sethostname", name_host},
                                                    {"load-module", load_module},
                                                    {"remove-module", remove_module},
                                                    {"swap", swap_on},
                                                    {"account", account},
                                                    {"set-clock", set_clock},
                                                    {"step-clock", step_clock},
                                                    {"kernel-environment", set_environment},
                                                    {"reboot", restart},
                                                    {"write-setting", write_setting},
                                                    {"make-jail", make_jail},
                                                    {"enter-jail", enter_jail},
                                                    {"make-immutable", make_immutable},
                                                    {"make-segment", make_segment},
                                                    {"find-segment", find_segment},
                                                    {"remove-segment", remove_segment},
                                                    {"make-shared", make_shared},
                                                    {"find-shared", find_shared},
                                                    {"remove-shared", remove_shared},
                                                    {NULL, NULL}};
