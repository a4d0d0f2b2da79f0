#include "root.hh"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../common/unique_fd.hh"
#include "../../dragonfly/mount.hh"
#include "../../dragonfly/sysctl.hh"
#include "../client.hh"

namespace selftest {

using dfjail::UniqueFd;

namespace {

bool copy_file(const char* from, const char* to) {
  const UniqueFd in(open(from, O_RDONLY));
  const UniqueFd out(open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755));
  static char buffer[64 * 1024];
  ssize_t n = in && out ? 1 : -1;
  while (n > 0) {
    n = read(in.get(), buffer, sizeof buffer);
    if (n > 0 && write(out.get(), buffer, static_cast<size_t>(n)) != n) return false;
  }
  return n == 0;
}

void remove_tree(const char* path) {
  DIR* dir = opendir(path);
  if (dir != nullptr) {
    while (const dirent* item = readdir(dir)) {
      if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) continue;
      char name[512];
      snprintf(name, sizeof name, "%s/%s", path, item->d_name);
      if (unlink(name) < 0) remove_tree(name);
    }
    closedir(dir);
  }
  rmdir(path);
}

char* read_list() {
  dfjail::Mib mib;
  size_t size = 0;
  if (!dfjail::sysctl_find("jail.list", &mib)) return nullptr;
  return static_cast<char*>(dfjail::sysctl_get_all(mib, 4096, &size));
}

}  // namespace

const char* below(const char* path, const char* name) {
  static char texts[64][512];
  static int next = 0;
  next = (next + 1) % 64;
  snprintf(texts[next], sizeof texts[next], "%s/%s", path, name);
  return texts[next];
}

bool write_text(const char* path, const char* text) {
  const UniqueFd fd(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  return fd && write(fd.get(), text, strlen(text)) == static_cast<ssize_t>(strlen(text));
}

bool make_root(const Options& options, Root* root) {
  snprintf(root->path, sizeof root->path, "/tmp/dfjail-selftest.%d", static_cast<int>(getpid()));
  snprintf(root->state, sizeof root->state, "/tmp/dfjail-state.%d", static_cast<int>(getpid()));
  if (mkdir(root->path, 0755) < 0 && errno != EEXIST) return false;
  const char* const folders[] = {"dev", "proc", "tmp", "null", "etc", "home", "home/inmate"};
  for (const char* name : folders) {
    if (mkdir(below(root->path, name), 0755) < 0 && errno != EEXIST) return false;
  }
  if (symlink("/etc", below(root->path, "link")) < 0 && errno != EEXIST) return false;
  write_text(
      below(root->path, "etc/passwd"),
      "root:*:0:0:Charlie:/root:/bin/sh\ninmate:*:1234:1235:Inmate:/home/inmate:/selftest\n");
  write_text(below(root->path, "etc/group"),
             "wheel:*:0:root\ninmate:*:1235:\ncooks:*:1300:inmate\n");
  return copy_file(options.self, below(root->path, "selftest"));
}

void remove_root(const Root& root) {
  remove_tree(root.path);
  remove_tree(root.state);
}

const char* listed(unsigned jid) {
  static char row[2048];
  char* text = read_list();
  char digits[16];
  const size_t n = static_cast<size_t>(snprintf(digits, sizeof digits, "%u ", jid));
  row[0] = '\0';
  for (char* line = text; line != nullptr && *line != '\0';) {
    char* end = strchr(line, '\n');
    if (end != nullptr) *end = '\0';
    if (strncmp(line, digits, n) == 0) snprintf(row, sizeof row, "%s", line);
    line = end == nullptr ? nullptr : end + 1;
  }
  free(text);
  return row;
}

int count_listed(const char* path) {
  char* text = read_list();
  int count = 0;
  for (char* line = text; line != nullptr && *line != '\0';) {
    char* end = strchr(line, '\n');
    if (end != nullptr) *end = '\0';
    if (strstr(line, path) != nullptr) count++;
    line = end == nullptr ? nullptr : end + 1;
  }
  free(text);
  return count;
}

int count_mounts(const char* path) {
  dfjail::MountList list;
  const size_t n = strlen(path);
  int count = 0;
  if (!list.read()) return -1;
  for (size_t i = 0; i < list.size(); i++) {
    if (strncmp(list[i].f_mntonname, path, n) == 0 && list[i].f_mntonname[n] == '/') count++;
  }
  return count;
}

bool waits_until(bool (*condition)(const void* context), const void* context, int milliseconds) {
  for (int waited = 0; waited <= milliseconds; waited += 10) {
    if (condition(context)) return true;
    pause_for(10);
  }
  return false;
}

}  // namespace selftest
