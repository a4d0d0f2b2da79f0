// Stands in the place of jail-monitor and misbehaves in the way that the file `manner` in its folder says. What it says
// rightly it says as docs/monitor-protocol.md has it.
#include "own_path.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKET = 3, HELLO = 1, CREATE = 2, WELCOME = 101, READY = 102, DONE = 106, EXITED = 105 };

static char manner[64];

static void read_manner(void) {
  char path[PATH_MAX];
  if (own_path(path, sizeof path - 16) < 0) exit(1);
  strcpy(strrchr(path, '/') + 1, "manner");
  FILE *in = fopen(path, "r");
  if (in == NULL || fscanf(in, "%63s", manner) != 1) exit(1);
  fclose(in);
}

static int is(const char *name) { return strcmp(manner, name) == 0; }

static void say(const void *bytes, size_t size) { send(SOCKET, bytes, size, MSG_NOSIGNAL); }

static void sleep_for_ever(void) {
  for (;;) pause();
}

static size_t frame(unsigned char *out, uint16_t type, uint32_t id, const uint32_t *words, size_t count) {
  const uint32_t length = (uint32_t)(8 + 4 * count);
  const uint16_t zero = 0;
  memcpy(out, &length, 4);
  memcpy(out + 4, &type, 2);
  memcpy(out + 6, &zero, 2);
  memcpy(out + 8, &id, 4);
  memcpy(out + 12, words, 4 * count);
  return 4 + length;
}

static void answer(uint16_t type, uint32_t id, const uint32_t *words, size_t count) {
  unsigned char bytes[128];
  say(bytes, frame(bytes, type, id, words, count));
}

static void welcome(uint32_t id, uint32_t version) {
  const uint32_t words[] = {version, (uint32_t)getpid()};
  answer(WELCOME, id, words, 2);
}

static void ready(uint32_t id) {
  const uint32_t words[] = {999000, 0, 1, 0};
  unsigned char bytes[128];
  const size_t size = frame(bytes, READY, id, words, 4);
  if (is("half-and-silent") || is("half-and-gone")) {
    say(bytes, size / 2);
    is("half-and-gone") ? exit(0) : sleep_for_ever();
  }
  if (is("longer")) {
    const uint32_t more[] = {999000, 0, 1, 0, 7};
    return answer(READY, id, more, 5);
  }
  if (is("done")) return answer(DONE, id, NULL, 0);
  if (is("unknown-type")) return answer(4711, id, words, 4);
  say(bytes, size);
  if (is("exits-of-nobody")) {
    const uint32_t exited[] = {77, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    answer(EXITED, 0, exited, 10);
  }
}

static void on_hello(uint32_t id) {
  static const char garbage[] = "HTTP/1.1 400 Bad Request\r\n\r\nand more of that, without an end, on and on";
  if (is("garbage")) return say(garbage, sizeof garbage);
  if (is("huge")) return say("\xff\xff\xff\x7f\x66\0\0\0\0\0\0\0", 12);
  if (is("gone")) exit(0);
  if (is("crash")) abort();
  if (is("deaf")) {
    close(SOCKET);
    sleep_for_ever();
  }
  welcome(id, is("another-release") ? 2 : 1);
}

static int read_whole(void *to, size_t size) {
  unsigned char *at = to;
  while (size > 0) {
    const ssize_t n = recv(SOCKET, at, size, 0);
    if (n <= 0) return 0;
    at += n;
    size -= (size_t)n;
  }
  return 1;
}

static int next(uint16_t *type, uint32_t *id) {
  static unsigned char payload[1 << 20];
  uint32_t length;
  uint16_t zero;
  return read_whole(&length, 4) && read_whole(type, 2) && read_whole(&zero, 2) && read_whole(id, 4) &&
         length >= 8 && length - 8 <= sizeof payload && read_whole(payload, length - 8);
}

int main(void) {
  uint16_t type;
  uint32_t id;
  int made = 0;
  read_manner();
  while (next(&type, &id)) {
    if (made && !is("deaf-to-the-end")) continue;  // silent once the jail is there
    if (is("silent")) continue;
    if (type == HELLO) on_hello(id);
    if (type == CREATE && !is("silent-create")) {
      ready(id);
      made = 1;
    }
  }
  if (is("deaf-to-the-end")) sleep_for_ever();
  return 0;
}
