#include "attempt.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static int address_of(const char* text, int port, struct sockaddr_storage* out, socklen_t* size) {
  struct sockaddr_in* v4 = (struct sockaddr_in*)out;
  struct sockaddr_in6* v6 = (struct sockaddr_in6*)out;
  memset(out, 0, sizeof *out);
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

/* ADDRESS PORT: that this machine may not have at all. */
static long bind_foreign(char** args) {
  struct sockaddr_storage address;
  socklen_t size;
  int family = address_of(args[0], atoi(args[1]), &address, &size);
  int fd = socket(family, SOCK_STREAM, 0);
  if (fd < 0) return -1;
  make_free(fd, family);
  return bind(fd, (struct sockaddr*)&address, size);
}

static long connect_to(char** args) {
  struct sockaddr_storage address;
  socklen_t size;
  int family = address_of(args[0], atoi(args[1]), &address, &size);
  int fd = socket(family, SOCK_STREAM, 0);
  return fd < 0 ? -1 : connect(fd, (struct sockaddr*)&address, size);
}

static socklen_t unix_address(const char* text, struct sockaddr_un* out) {
  memset(out, 0, sizeof *out);
  out->sun_family = AF_UNIX;
  strncpy(out->sun_path, text, sizeof out->sun_path - 1);
  if (text[0] == '@') out->sun_path[0] = '\0';
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(text));
}

/* PATH or @ABSTRACT */
static long connect_unix(char** args) {
  struct sockaddr_un address;
  socklen_t size = unix_address(args[0], &address);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  signal(SIGPIPE, SIG_IGN);
  if (connect(fd, (struct sockaddr*)&address, size) < 0) return -1;
  if (args[1] == NULL) return 0;
  /* HELLO of the monitor's protocol: whoever is not wanted gets the end instead of an answer. */
  unsigned hello[5] = {16, 1, 1, 1, 0};
  char answer[64];
  if (write(fd, hello, sizeof hello) < 0) return -1;
  ssize_t n = read(fd, answer, sizeof answer);
  return n > 0 ? 0 : n < 0 ? -1 : fail_with(ECONNRESET);
}

/* DESCRIPTOR PATH [HELLO]: from a directory that was handed over. */
static long connect_from(char** args) {
  return fchdir(atoi(args[0])) < 0 ? -1 : connect_unix(args + 1);
}

/* Both kinds of listeners at once; says so and stays. */
static long serve(char** args) {
  struct sockaddr_storage address;
  struct sockaddr_un name;
  socklen_t size;
  int family = address_of(args[0], atoi(args[1]), &address, &size);
  int network = socket(family, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(network, (struct sockaddr*)&address, size) < 0 || listen(network, 8) < 0) return -1;
  size = unix_address(args[2], &name);
  if (bind(local, (struct sockaddr*)&name, size) < 0 || listen(local, 8) < 0) return -1;
  printf("serving\n");
  fflush(stdout);
  char byte;
  return read(0, &byte, 1) < 0 ? -1 : 0;
}

/* FAMILY TYPE PROTOCOL */
static long make_socket(char** args) {
  return socket(atoi(args[0]), atoi(args[1]), atoi(args[2]));
}

const struct attempt network_attempts[] = {
    {"bind-foreign", bind_foreign}, {"connect", connect_to},     {"connect-unix", connect_unix},
    {"connect-from", connect_from}, {"serve", serve},            {"socket", make_socket},
    {NULL, NULL}};
