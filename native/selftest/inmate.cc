#include "inmate.hh"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/number.hh"
#include "inmate_system.hh"

extern char** environ;

namespace selftest {
namespace {

int echo(char** words) {
  for (; *words != nullptr; words++) printf("%s\n", *words);
  return 0;
}

int copy() {
  char buffer[4096];
  ssize_t n;
  while ((n = read(0, buffer, sizeof buffer)) > 0) {
    if (write(1, buffer, static_cast<size_t>(n)) != n) return 1;
  }
  return n < 0 ? 1 : 0;
}

// "fds 0 1 2", from what fstat says of each number: no /dev/fd is needed.
int descriptors() {
  printf("fds");
  for (int fd = 0; fd < 256; fd++) {
    struct stat info;
    if (fstat(fd, &info) == 0) printf(" %d", fd);
  }
  printf("\n");
  return 0;
}

int identity() {
  gid_t groups[64];
  const int count = getgroups(64, groups);
  printf("uid %d %d gid %d %d groups", static_cast<int>(getuid()), static_cast<int>(geteuid()),
         static_cast<int>(getgid()), static_cast<int>(getegid()));
  for (int i = 0; i < count; i++) printf(" %d", static_cast<int>(groups[i]));
  printf("\n");
  return 0;
}

int environment() {
  for (char** variable = environ; *variable != nullptr; variable++) printf("%s\n", *variable);
  return 0;
}

int where() {
  char path[1024];
  printf("%s\n", getcwd(path, sizeof path) != nullptr ? path : strerror(errno));
  return 0;
}

int names_in(const char* path) {
  DIR* dir = opendir(path);
  if (dir == nullptr) {
    printf("%s: %s\n", path, strerror(errno));
    return 1;
  }
  while (const dirent* item = readdir(dir)) {
    if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0)
      printf("%s\n", item->d_name);
  }
  closedir(dir);
  return 0;
}

int signals() {
  sigset_t set;
  sigemptyset(&set);
  sigprocmask(SIG_BLOCK, nullptr, &set);
  printf("signals");
  for (int number = 1; number < 32; number++) {
    struct sigaction action;
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_DFL)
      printf(" %d", number);
    if (sigismember(&set, number) == 1) printf(" blocked-%d", number);
  }
  printf("\n");
  return 0;
}

int limit_of_files() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 1;
  printf("%llu %llu\n", static_cast<unsigned long long>(limit.rlim_cur),
         static_cast<unsigned long long>(limit.rlim_max));
  return 0;
}

// Ignores what can be ignored and stays; "ready" once it does. With children.
int stay(int children) {
  signal(SIGTERM, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  bool is_child = false;
  for (int i = 0; i < children && !is_child; i++) is_child = fork() == 0;
  if (!is_child) printf("ready\n");
  fflush(stdout);
  for (;;) pause();
}

// Forks and ends, over and over, faster than a list of processes can be read. Bounded, should
// nobody come.
int run_away() {
  printf("ready\n");
  fflush(stdout);
  for (int i = 0; i < 200000; i++) {
    const pid_t child = fork();
    if (child > 0) _exit(0);
    setsid();
    signal(SIGTERM, SIG_IGN);
  }
  return 0;
}

// All of them fork, as often as they may, and again when one of the others was killed.
int multiply() {
  signal(SIGTERM, SIG_IGN);
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    if (fork() < 0) usleep(1000);
  }
}

int rename_it(const char* from, const char* to) {
  printf("%s\n", rename(from, to) == 0 ? "renamed" : strerror(errno));
  return 0;
}

int write_it(const char* path) {
  const int fd = open(path, O_WRONLY | O_CREAT, 0644);
  printf("%s\n", fd >= 0 && write(fd, "x", 1) == 1 ? "written" : strerror(errno));
  return 0;
}

int kill_everybody() {
  if (fork() == 0) {
    for (;;) pause();
  }
  kill(-1, SIGKILL);
  printf("survived\n");
  return 0;
}

// A socket made in the jail goes out by descriptor 3: it keeps the jail.
int hand_out_socket() {
  const int inside = socket(AF_UNIX, SOCK_DGRAM, 0);
  char byte = 's';
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec bytes = {&byte, 1};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof inside);
  memcpy(CMSG_DATA(header), &inside, sizeof inside);
  return inside >= 0 && sendmsg(3, &message, 0) == 1 ? 0 : 1;
}

// /dev/tty itself does not open for a terminal of the host (docs/dragonfly.md).
int ask_terminal() {
  const bool controlling = tcgetpgrp(0) == getpgrp();
  printf("%s %s\n", isatty(0) == 1 ? "terminal" : "none",
         controlling ? "controlling" : strerror(errno));
  return 0;
}

int number_of(const char* word) {
  int number = 0;
  return dfjail::take_number(&word, &number) ? number : 2;
}

int run(const char* verb, char** words) {
  const char* word = words[0] == nullptr ? "" : words[0];
  if (strcmp(verb, "echo") == 0) return echo(words);
  if (strcmp(verb, "cat") == 0) return copy();
  if (strcmp(verb, "exit") == 0) return number_of(word);
  if (strcmp(verb, "abort") == 0) abort();
  if (strcmp(verb, "fds") == 0) return descriptors();
  if (strcmp(verb, "id") == 0) return identity();
  if (strcmp(verb, "env") == 0) return environment();
  if (strcmp(verb, "cwd") == 0) return where();
  if (strcmp(verb, "ls") == 0) return names_in(word);
  if (strcmp(verb, "signals") == 0) return signals();
  if (strcmp(verb, "nofile") == 0) return limit_of_files();
  if (strcmp(verb, "stay") == 0) return stay(number_of(word));
  if (strcmp(verb, "runaway") == 0) return run_away();
  if (strcmp(verb, "multiply") == 0) return multiply();
  if (strcmp(verb, "rename") == 0) return rename_it(word, words[1] == nullptr ? "" : words[1]);
  if (strcmp(verb, "write") == 0) return write_it(word);
  if (strcmp(verb, "killall") == 0) return kill_everybody();
  if (strcmp(verb, "socket") == 0) return hand_out_socket();
  if (strcmp(verb, "tty") == 0) return ask_terminal();
  return run_system_verb(verb, word);
}

}  // namespace

int be_inmate(int argc, char** argv) {
  if (argc < 1) return 2;
  const int status = run(argv[0], argv + 1);
  fflush(stdout);
  return status;
}

}  // namespace selftest
