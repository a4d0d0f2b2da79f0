#include "logins.hh"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../monitor/spec.hh"
#include "../tap.hh"

namespace selftest {
namespace {

constexpr char kPasswd[] =
    "root:*:0:0:Charlie:/:/bin/sh\n"
    "inmate:*:1234:1235:Inmate:/home/inmate:/selftest\n"
    "plain:*:1236:1235::/home/inmate:\n"
    "lost:*:1237:1235::/:\n"
    "joiner:*:1238:1400::/:\n";
constexpr char kMaster[] =
    "root:*:0:0::0:0:Charlie:/:/bin/sh\n"
    "inmate:*:1234:1235:small:0:0:Inmate:/home/inmate:/selftest\n"
    "plain:*:1236:1235::0:0::/home/inmate:\n"
    "lost:*:1237:1235:loop:0:0::/:\n";
constexpr char kClasses[] =
    "small|People with little:\\\n"
    "\t:openfiles=40:openfiles-cur=30:cputime=1h:coredumpsize=0:sbsize=1m:\\\n"
    "\t:umask=077:priority=7:path=~/bin /selftest.d:setenv=KIND=$,HOME=/no:\\\n"
    "\t:tc=default:\n"
    "default:umask=027:filesize=10m:lang=C:openfiles=50:\n"
    "loop:tc=pool:\npool:tc=loop:\n";

Program as(const char* user, const char* verb, uint32_t flags) {
  Program what = program(verb);
  what.user = user;
  what.flags = flags;
  what.cwd = (flags & dfjail::CommandSpec::kLogin) != 0 ? "" : "/";
  return what;
}

constexpr uint32_t kLogin = dfjail::CommandSpec::kLogin;
constexpr uint32_t kDefaultPath = dfjail::CommandSpec::kDefaultPath;

void test_names(Client* client) {
  says(client, as("inmate", "getlogin", 0), "inmate\n", "the login name is that of the user");
  says(client, as("root", "getlogin", 0), "root\n", "root's too");
  says(client, program("getlogin"), "root\n", "and that of a command without a user");
  Program what = program("getlogin");
  what.uid = 1234;
  says(client, what, "inmate\n", "a number has the name that the jail's file has for it");
  what.uid = 4321;
  says(client, what, "\n", "or none");
}

void test_class(Client* client) {
  Program what = as("inmate", "context", kLogin | kDefaultPath);
  what.env[0] = "PATH=/default";
  says(client, what,
       "umask 77 nice 7\ncpu 3600 3600\nfsize 10485760 10485760\ncore 0 0\n"
       "nofile 30 40\nsbsize 1048576 1048576\n",
       "a login has limits, umask and priority of its class");
  what.argv[2] = "env";
  says(client, what,
       "PATH=/home/inmate/bin:/selftest.d\nHOME=/home/inmate\nSHELL=/selftest\nUSER=inmate\n"
       "LOGNAME=inmate\nKIND=inmate\nLANG=C\n",
       "and its PATH and variables");
  what.flags = kLogin;
  what.env[1] = "KIND=mine";
  says(client, what,
       "PATH=/default\nKIND=mine\nHOME=/home/inmate\nSHELL=/selftest\nUSER=inmate\n"
       "LOGNAME=inmate\nLANG=C\n",
       "what is asked for comes first");
  const dfjail::Limit limit = {0, 45, 46};
  what = as("inmate", "nofile", kLogin);
  what.limit = &limit;
  says(client, what, "45 46\n", "limits too");
  says(client, as("inmate", "umask", 0), "22\n", "without a login there is no class");
  says(client, as("plain", "umask", kLogin), "27\n", "a user without a class has the default one");
  says(client, as("root", "umask", kLogin), "27\n", "root as well, where there is none for root");
}

void test_broken_classes(Client* client, const char* file) {
  refused(run(client, as("lost", "umask", kLogin)).refusal, "user", ELOOP, "",
          "a class that includes itself");
  says(client, as("lost", "umask", 0), "22\n", "which nobody asks for without a login");
  chmod(file, 0666);
  says(client, as("inmate", "umask", kLogin), "22\n", "a login.conf that all may write is none");
  chmod(file, 0644);
  unlink(file);
  says(client, as("lost", "umask", kLogin), "22\n", "and none is needed");
  mkfifo(file, 0644);
  says(client, as("inmate", "umask", kLogin), "22\n", "nor waited for");
  unlink(file);
}

void write_groups(const char* path, int count) {
  char text[1024];
  size_t n = 0;
  for (int i = 0; i < count; i++) {
    n += static_cast<size_t>(snprintf(text + n, sizeof text - n,
                                      "g%d:*:%d:joiner\ntwin%d:*:%d:joiner\n", i, 1400 + i, i,
                                      1400 + i));
  }
  write_text(path, text);
}

void test_groups(Client* client, const char* file) {
  write_groups(file, 16);
  const Result most = run(client, as("joiner", "id", 0));
  check(most.ran && strstr(most.output, " 1415\n") != nullptr,
        "a user can be in 16 groups, those with one number once (%s)", most.output);
  write_groups(file, 17);
  refused(run(client, as("joiner", "id", 0)).refusal, "groups", EINVAL, "", "and in no more");
}

}  // namespace

void test_logins(const Scene& scene) {
  const char* const etc = below(scene.root->path, "etc");
  const char* const classes = below(etc, "login.conf");
  const char* const groups = below(etc, "group");
  write_text(below(etc, "passwd"), kPasswd);
  write_text(below(etc, "master.passwd"), kMaster);
  write_text(classes, kClasses);
  Client client;
  const uint32_t jid = make(&client, scene, plain(scene), "logins");
  if (jid == 0) return;
  test_names(&client);
  test_class(&client);
  test_broken_classes(&client, classes);
  test_groups(&client, groups);
  stop(&client, jid, "logins");
  nothing_left(scene, "logins");
}

}  // namespace selftest
