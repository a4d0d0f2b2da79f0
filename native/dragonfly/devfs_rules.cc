#include "devfs_rules.hh"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <sys/devfs_rules.h>
#include <sys/ioctl.h>

#include "../common/unique_fd.hh"

namespace dfjail {
namespace {

constexpr const char* kDevice = "/dev/devfs";
constexpr const char* kNodes[] = {"null", "zero", "full",  "random", "urandom",
                                  "tty",  "ptmx", "stdin", "stdout", "stderr"};
constexpr const char* kFolders[] = {"fd", "pts"};

bool send_rule(int device, unsigned long request, devfs_rule_ioctl* rule, Error* error) {
  return ::ioctl(device, request, rule) == 0 || fail(error, "mount", "ioctl", kDevice);
}

bool open_device(UniqueFd* device, Error* error) {
  device->reset(open(kDevice, O_RDWR | O_CLOEXEC));
  return *device || fail(error, "mount", "open", kDevice);
}

bool prepare(devfs_rule_ioctl* rule, const char* mount_point, Error* error) {
  memset(rule, 0, sizeof *rule);
  if (strlen(mount_point) >= sizeof rule->mntpoint) {
    return fail(error, "mount", "ioctl", mount_point, ENAMETOOLONG);
  }
  strlcpy(rule->mntpoint, mount_point, sizeof rule->mntpoint);
  return true;
}

bool add_link(int device, const char* mount_point, const char* name, const char* link,
              Error* error) {
  static devfs_rule_ioctl rule;
  if (!prepare(&rule, mount_point, error)) return false;
  rule.rule_type = DEVFS_RULE_NAME | DEVFS_RULE_JAIL;
  rule.rule_cmd = DEVFS_RULE_LINK;
  strlcpy(rule.name, name, sizeof rule.name);
  strlcpy(rule.linkname, link, sizeof rule.linkname);
  return send_rule(device, DEVFS_RULE_ADD, &rule, error);
}

bool clear(int device, const char* mount_point, Error* error) {
  static devfs_rule_ioctl rule;
  return prepare(&rule, mount_point, error) && send_rule(device, DEVFS_RULE_CLEAR, &rule, error);
}

}  // namespace

bool devfs_offer_devices(const char* mount_point, Error* error) {
  UniqueFd device;
  char name[32];
  char link[64];
  if (!open_device(&device, error) || !clear(device.get(), mount_point, error)) return false;
  for (const char* node : kNodes) {
    snprintf(link, sizeof link, "%s/%s", kOfferedDevices, node);
    if (!add_link(device.get(), mount_point, node, link, error)) return false;
  }
  for (const char* folder : kFolders) {  // the kernel puts the node's own name behind
    snprintf(name, sizeof name, "%s/*", folder);
    snprintf(link, sizeof link, "%s/%s/", kOfferedDevices, folder);
    if (!add_link(device.get(), mount_point, name, link, error)) return false;
  }
  return true;
}

bool devfs_clear_rules(const char* mount_point, Error* error) {
  UniqueFd device;
  return open_device(&device, error) && clear(device.get(), mount_point, error);
}

}  // namespace dfjail
