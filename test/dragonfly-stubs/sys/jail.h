#pragma once
// A stub for compiling only: see README.md.
#include <sys/socket.h>
struct jail {
  uint32_t version;
  char* path;
  char* hostname;
  uint32_t n_ips;
  struct sockaddr_storage* ips;
};
struct jail_v0 {
  uint32_t version;
  char* path;
  char* hostname;
  uint32_t ip_number;
};
int jail(struct jail*);
int jail_attach(int);
#define PRISON_CAP_SYS_SET_HOSTNAME 1
#define PRISON_CAP_SYS_SYSVIPC 2
#define PRISON_CAP_NET_UNIXIPROUTE 20
#define PRISON_CAP_NET_RAW_SOCKETS 21
#define PRISON_CAP_NET_LISTEN_OVERRIDE 22
#define PRISON_CAP_VFS_CHFLAGS 40
#define PRISON_CAP_VFS_MOUNT_NULLFS 45
#define PRISON_CAP_VFS_MOUNT_DEVFS 46
#define PRISON_CAP_VFS_MOUNT_TMPFS 47
