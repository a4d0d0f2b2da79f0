#include "login.hh"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backend.hh"
#include "jail_file.hh"

namespace dfjail {
namespace {

constexpr char kFile[] = "/etc/login.conf";
constexpr off_t kMaxFile = off_t{256} * 1024;  // it is gone through for each tc=
constexpr char kDefault[] = "default";
constexpr char kRoot[] = "root";

using ClassName = char[64];

void find_name(const Jail& jail, const Identity& who, ClassName& out) {
  copy_text(out, who.uid == 0 ? kRoot : kDefault);
  if (who.name[0] == '\0') return;
  JailFile file(jail, "/etc/master.passwd");
  while (char* line = file.line()) {
    const char* found = class_in_line(line, who.name);
    if (found == nullptr) continue;
    if (found[0] != '\0') copy_text(out, found);
    return;
  }
}

// What others than root may have written is not taken, as login_getclass(3) does not.
bool is_trusted(const struct stat& info) {
  const bool by_group = (info.st_mode & S_IWGRP) != 0 && info.st_gid != 0;
  return info.st_uid == 0 && (info.st_mode & S_IWOTH) == 0 && !by_group;
}

int error_number(ClassLookup result) {
  if (result == ClassLookup::kLoop) return ELOOP;
  return result == ClassLookup::kTooLong ? E2BIG : EINVAL;
}

}  // namespace

bool find_login_class(const Jail& jail, Identity* who, ClassEnvironment* environment,
                      Error* error) {
  who->context.given = true;
  ClassName name;
  find_name(jail, *who, name);
  const JailFile file(jail, kFile);
  if (file.text() == nullptr || !is_trusted(file.info())) return true;
  if (file.info().st_size > kMaxFile) return fail(error, "user", "getcap", kFile, E2BIG);
  LoginClass login_class;
  ClassLookup result = login_class.find(file.text(), name);
  if (result == ClassLookup::kMissing) result = login_class.find(file.text(), kDefault);
  if (result == ClassLookup::kMissing) return true;
  if (result != ClassLookup::kFound) {
    return fail(error, "user", "getcap", kFile, error_number(result));
  }
  read_context(login_class, &who->context);
  if (read_environment(login_class, who->name, who->home, environment)) return true;
  return fail(error, "user", "getcap", kFile, E2BIG);
}

}  // namespace dfjail
