#pragma once
// A stub for compiling only: see README.md.
struct tmpfs_mount_info {
  int ta_version;
  ino_t ta_nodes_max;
  off_t ta_size_max;
  size_t ta_maxfsize_max;
  uid_t ta_root_uid;
  gid_t ta_root_gid;
  mode_t ta_root_mode;
};
