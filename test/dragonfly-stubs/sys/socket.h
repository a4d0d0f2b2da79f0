#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
#include <sys/uio.h>
struct sockaddr {
  uint8_t sa_len;
  sa_family_t sa_family;
  char sa_data[14];
};
struct sockaddr_storage {
  uint8_t ss_len;
  sa_family_t ss_family;
  char ss_pad1[6];
  int64_t ss_align;
  char ss_pad2[112];
};
struct msghdr {
  void* msg_name;
  socklen_t msg_namelen;
  struct iovec* msg_iov;
  int msg_iovlen;
  void* msg_control;
  socklen_t msg_controllen;
  int msg_flags;
};
struct cmsghdr {
  socklen_t cmsg_len;
  int cmsg_level;
  int cmsg_type;
};
#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 28
#define AF_LINK 18
#define PF_ROUTE 17
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_CLOEXEC 0x10000000
#define SOCK_NONBLOCK 0x20000000
#define SO_REUSEADDR 0x0004
#define SOL_SOCKET 0xffff
#define SCM_RIGHTS 1
#define MSG_DONTWAIT 0x80
#define MSG_NOSIGNAL 0x400
#define MSG_CMSG_CLOEXEC 0x1000
#define STUB_ALIGN(n) (((n) + 7) & ~7UL)
#define CMSG_DATA(c) ((unsigned char*)(c) + STUB_ALIGN(sizeof(struct cmsghdr)))
#define CMSG_SPACE(n) (STUB_ALIGN(sizeof(struct cmsghdr)) + STUB_ALIGN(n))
#define CMSG_LEN(n) (STUB_ALIGN(sizeof(struct cmsghdr)) + (n))
#define CMSG_FIRSTHDR(m) \
  ((m)->msg_controllen >= sizeof(struct cmsghdr) ? (struct cmsghdr*)(m)->msg_control : nullptr)
#define CMSG_NXTHDR(m, c)                                                           \
  ((char*)(c) + STUB_ALIGN((c)->cmsg_len) + STUB_ALIGN(sizeof(struct cmsghdr)) >    \
           (char*)(m)->msg_control + (m)->msg_controllen                            \
       ? nullptr                                                                    \
       : (struct cmsghdr*)((char*)(c) + STUB_ALIGN((c)->cmsg_len)))
extern "C" {
int setsockopt(int, int, int, const void*, socklen_t);
int accept(int, struct sockaddr*, socklen_t*);
int socket(int, int, int);
int socketpair(int, int, int, int*);
int bind(int, const struct sockaddr*, socklen_t);
int listen(int, int);
int connect(int, const struct sockaddr*, socklen_t);
int accept4(int, struct sockaddr*, socklen_t*, int);
ssize_t send(int, const void*, size_t, int);
ssize_t recv(int, void*, size_t, int);
ssize_t sendmsg(int, const struct msghdr*, int);
ssize_t recvmsg(int, struct msghdr*, int);
}
