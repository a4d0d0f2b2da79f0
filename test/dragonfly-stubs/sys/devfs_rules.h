#pragma once
// A stub for compiling only: see README.md.
#include <limits.h>
#include <sys/ioccom.h>
#include <sys/types.h>
struct devfs_rule_ioctl {
  u_long rule_type;
  u_long rule_cmd;
  char mntpoint[PATH_MAX];
  char name[PATH_MAX];
  char linkname[PATH_MAX];
  u_long dev_type;
  u_short mode;
  uid_t uid;
  gid_t gid;
};
#define DEVFS_RULE_NAME 1
#define DEVFS_RULE_TYPE 2
#define DEVFS_RULE_JAIL 4
#define DEVFS_RULE_LINK 1
#define DEVFS_RULE_HIDE 2
#define DEVFS_RULE_SHOW 4
#define DEVFS_RULE_ADD _IOWR('d', 221, struct devfs_rule_ioctl)
#define DEVFS_RULE_APPLY _IOWR('d', 222, struct devfs_rule_ioctl)
#define DEVFS_RULE_CLEAR _IOWR('d', 223, struct devfs_rule_ioctl)
#define DEVFS_RULE_RESET _IOWR('d', 224, struct devfs_rule_ioctl)
