#include "calls.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#ifndef TIOCSTI
#define TIOCSTI 0x5412
#endif
#define TIOC_LINUX 0x541C

static long name_host(char** args) { return sethostname(args[0], strlen(args[0])); }
static long unshare_flags(char** args) { return unshare((int)strtol(args[0], NULL, 0)); }

static int nothing(void* unused) {
  (void)unused;
  return 0;
}
static long clone_flags(char** args) {
  static char stack[65536];
  int flags = (int)strtol(args[0], NULL, 0) | SIGCHLD;
  return clone(nothing, stack + sizeof stack, flags, NULL);
}
static long clone3_flags(char** args) {
  struct clone_args arguments = {.flags = strtoul(args[0], NULL, 0), .exit_signal = SIGCHLD};
  long pid = syscall(CALL_CLONE3, &arguments, sizeof arguments);
  if (pid == 0) _exit(0);
  return pid;
}
static long enter_namespace(char** args) { return setns(open(args[0], O_RDONLY), 0); }

static long add_key_to_process(char** args) {
  (void)args;
  return syscall(SYS_add_key, "user", "dfjail:test", "x", 1, -2 /* the process's keyring */);
}
static long find_session_keyring(char** args) {
  (void)args;
  return syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3 /* the session's */, 1);
}
static long ask_for_key(char** args) {
  (void)args;
  return syscall(SYS_request_key, "user", "dfjail:test", NULL, -2) < 0 && errno == ENOKEY ? 0 : -1;
}

static long make_bpf_map(char** args) {
  (void)args;
  union bpf_attr attributes = {
      .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
  return syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes);
}
static long count_events(char** args) {
  (void)args;
  struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE,
                                       .size = sizeof attributes,
                                       .config = PERF_COUNT_SW_TASK_CLOCK,
                                       .exclude_kernel = 1};
  return syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

/* Arguments that no kernel takes: any error but EPERM says that the right was there. */
static long unless_forbidden(long result) {
  return result < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS) ? -1 : 0;
}
static long kexec(char** args) {
  (void)args;
  return unless_forbidden(syscall(SYS_kexec_load, 0, 0, NULL, 0xFFFFUL << 32));
}
static long kexec_file(char** args) {
  (void)args;
  return unless_forbidden(syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 0xFFFF0000UL));
}
static long load_module(char** args) {
  (void)args;
  return unless_forbidden(syscall(SYS_init_module, NULL, 0, ""));
}
static long load_module_file(char** args) {
  (void)args;
  return unless_forbidden(syscall(SYS_finit_module, -1, "", 0));
}
static long remove_module(char** args) {
  (void)args;
  return unless_forbidden(syscall(SYS_delete_module, "no_such_module", O_NONBLOCK));
}
static long swap_on(char** args) {
  (void)args;
  return unless_forbidden(syscall(SYS_swapon, "/", 0));
}
static long account(char** args) {
  (void)args;
  return unless_forbidden(syscall(SYS_acct, "/"));
}
static long set_clock(char** args) {
  (void)args;
  return unless_forbidden(syscall(SYS_clock_settime, 0, NULL));
}
static long read_kernel_log(char** args) {
  (void)args;
  char text[16];
  return syscall(SYS_syslog, 3, text, sizeof text);
}
static long start_ring(char** args) {
  (void)args;
  return unless_forbidden(syscall(425, 0, NULL));
}
static long watch_file_system(char** args) {
  (void)args;
  return syscall(SYS_fanotify_init, 0, O_RDONLY);
}

/* Into the terminal that is our standard input. */
static long type_into_terminal(char** args) { return ioctl(0, TIOCSTI, args[0]); }
static long type_with_high_bits(char** args) {
  return syscall(SYS_ioctl, 0L, (7L << 32) | TIOCSTI, args[0]);
}
/* The one that it has (another one, N_NULL for one, would eat everything); of our standard input. */
static long discipline_terminal(char** args) {
  (void)args;
  int discipline = 0;
  if (ioctl(0, TIOCGETD, &discipline) < 0) return -1;
  return ioctl(0, TIOCSETD, &discipline);
}
static long paste_into_terminal(char** args) {
  (void)args;
  char request = 3; /* paste the selection */
  return unless_forbidden(ioctl(0, TIOC_LINUX, &request)); /* ours need not be a console */
}

const struct attempt kernel_attempts[] = {{"sethostname", name_host},
                                          {"unshare", unshare_flags},
                                          {"clone", clone_flags},
                                          {"clone3", clone3_flags},
                                          {"setns", enter_namespace},
                                          {"add-key", add_key_to_process},
                                          {"session-keyring", find_session_keyring},
                                          {"request-key", ask_for_key},
                                          {"bpf", make_bpf_map},
                                          {"perf", count_events},
                                          {"kexec", kexec},
                                          {"kexec-file", kexec_file},
                                          {"load-module", load_module},
                                          {"load-module-file", load_module_file},
                                          {"remove-module", remove_module},
                                          {"swap", swap_on},
                                          {"account", account},
                                          {"set-clock", set_clock},
                                          {"kernel-log", read_kernel_log},
                                          {"io-uring", start_ring},
                                          {"fanotify", watch_file_system},
                                          {"type", type_into_terminal},
                                          {"type-with-high-bits", type_with_high_bits},
                                          {"paste", paste_into_terminal},
                                          {"discipline", discipline_terminal},
                                          {NULL, NULL}};
