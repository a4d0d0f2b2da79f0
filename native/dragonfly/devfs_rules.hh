#pragma once

#include "../common/error.hh"

// Rules about what is in a devfs, by the ioctls of /dev/devfs, as devfsctl(8). The kernel keeps
// them until they are cleared, in one list for all mounts, and compares the name by which a mount
// is known with the rule's.
namespace dfjail {

// The folder of a devfs in which devfs_offer_devices() gathers what a jail may have.
constexpr const char* kOfferedDevices = "jail";

// Adds links to null, zero, full, random, urandom, tty, ptmx, stdin, stdout, stderr, fd/* and pts/*
// in that folder of the devfs that will be mounted there with the jail flag; replaces earlier rules
// of that name.
//
// Hiding the other nodes instead would be no protection: no rule can hide /dev/devfs itself,
// whoever opens that may clear all rules of the host, and the kernel does not ask whether he is in
// a jail (tried: docs/dragonfly.md). So a jail gets nothing but the folder, by a nullfs.
bool devfs_offer_devices(const char* mount_point, Error* error);
bool devfs_clear_rules(const char* mount_point, Error* error);

}  // namespace dfjail
