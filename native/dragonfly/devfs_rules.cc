#include "devfs_rules.hh"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/types.h>

#include <sys/devfs_rules.h>
#include <sys/ioctl.h>

#include "../common/unique_fd.hh"

namespace dfjail {
namespace {

constexpr const char* kDevice = "/dev/devfs";
constexpr const char* kShown[] = {"null",  "zero", "full", "random", "urandom", "tty",    "ptmx",
                                  "pts/*", "fd/*", "fd",   "pts",    "stdin",   "stdout", "stderr"};

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

bool add(int device, const char* mount_point, unsigned long command, const char* name,
         Error* error) {
  static devfs_rule_ioctl rule;
  if (!prepare(&rule, mount_point, error)) return false;
  rule.rule_type = DEVFS_RULE_NAME | DEVFS_RULE_JAIL;
  rule.rule_cmd = command;
  strlcpy(rule.name, name, sizeof rule.name);
  return send_rule(device, DEVFS_RULE_ADD, &rule, error);
}

bool clear(int device, const char* mount_point, Error* error) {
  static devfs_rule_ioctl rule;
  return prepare(&rule, mount_point, error) && send_rule(device, DEVFS_RULE_CLEAR, &rule, error);
}

bool add_all(int device, const char* mount_point, Error* error) {
  if (!add(device, mount_point, DEVFS_RULE_HIDE, "*", error)) return false;
  // A rule's name is matched in one folder only.
  if (!add(device, mount_point, DEVFS_RULE_HIDE, "pts/*", error)) return false;
  for (const char* name : kShown) {
    if (!add(device, mount_point, DEVFS_RULE_SHOW, name, error)) return false;
  }
  return true;
}

}  // namespace

bool devfs_set_jail_rules(const char* mount_point, Error* error) {
  static devfs_rule_ioctl rule;
  UniqueFd device;
  if (!open_device(&device, error) || !clear(device.get(), mount_point, error)) return false;
  if (!add_all(device.get(), mount_point, error)) return false;
  return prepare(&rule, mount_point, error) &&
         send_rule(device.get(), DEVFS_RULE_RESET, &rule, error) &&
         send_rule(device.get(), DEVFS_RULE_APPLY, &rule, error);
}

bool devfs_add_jail_rules(const char* mount_point, Error* error) {
  UniqueFd device;
  return open_device(&device, error) && add_all(device.get(), mount_point, error);
}

bool devfs_clear_rules(const char* mount_point, Error* error) {
  UniqueFd device;
  return open_device(&device, error) && clear(device.get(), mount_point, error);
}

}  // namespace dfjail
