#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../monitor/login_class.hh"
#include "../monitor/spec.hh"
#include "system.hh"
#include "tap.hh"

namespace selftest {
namespace {

using dfjail::ClassContext;
using dfjail::ClassEnvironment;
using dfjail::ClassLimit;
using dfjail::ClassLookup;
using dfjail::ClassResource;
using dfjail::LoginClass;

constexpr char kFile[] =
    "# a comment that goes on \\\n"
    "hidden:umask=007:\n"
    "\n"
    "default:\\\n"
    "\t:path=/sbin /bin,/usr/bin\t~/bin ~:\\\n"
    "\t:setenv=BLOCKSIZE=K,MAIL=/var/mail/$,EMPTY=,BLOCKSIZE=M,=x,no:\\\n"
    "\t:lang=de_DE.UTF-8:charset=UTF-8:timezone=\\x\\072y^A:\\\n"
    "\t:cputime=1h30m:filesize=2g512K:datasize-cur=3b:datasize-max=unlimited:\\\n"
    "\t:openfiles=1024:openfiles-cur#0100:maxproc#077:\\\n"
    "\t:stacksize=bad:memoryuse=-5:sbsize=99999999999999t:vmemoryuse=8192p:\\\n"
    "\t:priority=5:umask=027:\n"
    "staff|Members of the staff:\\\n"
    "\t:umask@:priority=-3:tc=daily:coredumpsize=0:tc=default:\n"
    "daily:cputime=10s:openfiles@:tc=night:\n"
    "night:memorylocked=1m:\n"
    "loop:tc=other:\nother:tc=loop:\n"
    "broken:tc=nobody:\n"
    "cancelled:tc@:tc=nobody:umask=1:\n"
    "inert:priority=infinity:umask=infinity:\n"
    "default:umask=0:\n"
    "last:umask=070:";

LoginClass login_class;

bool finds(const char* name) { return login_class.find(kFile, name) == ClassLookup::kFound; }

ClassContext context_of(const char* name) {
  ClassContext context;
  if (check(finds(name), "the class %s is found", name)) read_context(login_class, &context);
  return context;
}

const ClassLimit& limit_of(const ClassContext& context, ClassResource resource) {
  return context.limits[static_cast<size_t>(resource)];
}

void is_limit(const ClassContext& context, ClassResource resource, uint64_t soft, uint64_t hard,
              const char* what) {
  const ClassLimit& limit = limit_of(context, resource);
  check(limit.has_soft && limit.has_hard, "%s is limited", what);
  is(static_cast<long long>(limit.soft), static_cast<long long>(soft), what);
  is(static_cast<long long>(limit.hard), static_cast<long long>(hard), what);
}

void test_values() {
  const ClassContext context = context_of("default");
  is_limit(context, ClassResource::kCpuTime, 5400, 5400, "cputime=1h30m");
  is_limit(context, ClassResource::kFileSize, (2ULL << 30) + (512 << 10),
           (2ULL << 30) + (512 << 10), "filesize=2g512K");
  is_limit(context, ClassResource::kDataSize, 1536, dfjail::kUnlimited, "datasize-cur, -max");
  is_limit(context, ClassResource::kOpenFiles, 64, 1024, "openfiles and openfiles-cur");
  is_limit(context, ClassResource::kMaxProc, 63, 63, "maxproc in octal");
  const ClassResource bad[] = {ClassResource::kStackSize,     ClassResource::kMemoryUse,
                               ClassResource::kSocketBuffers, ClassResource::kVirtualMemory,
                               ClassResource::kMemoryLocked,  ClassResource::kPosixLocks};
  for (const ClassResource resource : bad) {
    const ClassLimit& limit = limit_of(context, resource);
    check(!limit.has_soft && !limit.has_hard, "nonsense and silence leave limit %d",
          static_cast<int>(resource));
  }
  is(context.umask, 027, "umask");
  is(context.priority, 5, "priority");
}

void test_inclusion() {
  const ClassContext staff = context_of("staff");
  is(staff.umask, 022, "umask@ takes back what tc= brings");
  is(staff.priority, -3, "what comes first counts");
  is_limit(staff, ClassResource::kCpuTime, 10, 10, "cputime of daily");
  is_limit(staff, ClassResource::kCoreDumpSize, 0, 0, "what is between two tc=");
  is_limit(staff, ClassResource::kMemoryLocked, 1 << 20, 1 << 20, "what a tc= of a tc= brings");
  check(!limit_of(staff, ClassResource::kOpenFiles).has_hard, "daily takes openfiles back");
  check(finds("Members of the staff"), "a class has several names");
  check(login_class.find(kFile, "loop") == ClassLookup::kLoop, "a loop of tc= is told");
  check(login_class.find(kFile, "broken") == ClassLookup::kUnresolved, "a tc= to nowhere is told");
  is(context_of("cancelled").umask, 1, "tc@ takes a tc= back");
  const char* const missing[] = {"hidden", "sta", "", "Members", "staff|Members of the staff"};
  for (const char* name : missing)
    check(login_class.find(kFile, name) == ClassLookup::kMissing, "there is no class '%s'", name);
  is(context_of("last").umask, 070, "a last line needs no end");
  const ClassContext inert = context_of("inert");
  check(!inert.has_priority, "an endless priority is none");
  is(inert.umask, 0777, "an endless umask is all bits");
}

bool has(const ClassEnvironment& environment, const char* wanted) {
  const char* at = environment.text;
  for (size_t i = 0; i < environment.count; i++, at += strlen(at) + 1) {
    const size_t name = strcspn(at, "=") + 1;
    if (strncmp(at, wanted, name) == 0) return strcmp(at, wanted) == 0;
  }
  return false;
}

void test_environment() {
  static ClassEnvironment out;
  out = ClassEnvironment();
  check(finds("default") && read_environment(login_class, "joe", "/home/joe", &out),
        "a class has an environment");
  const char* const variables[] = {
      "PATH=/sbin:/bin:/usr/bin:/home/joe/bin:/home/joe/",
      "MAIL=/var/mail/joe",
      "BLOCKSIZE=M",
      "EMPTY=",
      "LANG=de_DE.UTF-8",
      "MM_CHARSET=UTF-8",
      "TZ=x:y\001",
  };
  for (const char* variable : variables) check(has(out, variable), "%s", variable);
  is(static_cast<long long>(out.count), 8, "nothing else, but a BLOCKSIZE behind the other");
  const char kEscaped[] = "a:setenv=A=\\\\~/\\\\$x,B=$~:\n";
  out = ClassEnvironment();
  check(login_class.find(kEscaped, "a") == ClassLookup::kFound &&
            read_environment(login_class, "joe", "/", &out),
        "escapes are read");
  check(has(out, "A=~/$x") && has(out, "B=joe/"), "and keep ~ and $");
}

char* append(char* at, const char* text) {
  const size_t length = strlen(text);
  memcpy(at, text, length + 1);
  return at + length;
}

// `n` times a text, behind a beginning; with an end.
char* repeated(const char* start, const char* text, size_t n, const char* end) {
  const size_t size = strlen(start) + n * strlen(text) + strlen(end) + 1;
  char* all = static_cast<char*>(malloc(size));
  if (all == nullptr) abort();
  char* at = append(all, start);
  for (size_t i = 0; i < n; i++) at = append(at, text);
  append(at, end);
  return all;
}

void test_bounds() {
  char* wide = repeated("a:", "tc=b:", 3000, "\nb:\n");
  check(login_class.find(wide, "a") == ClassLookup::kLoop, "thousands of tc= end");
  char* deep = repeated("", "x:tc=x:tc=x:tc=x:\n", 20, "");
  check(login_class.find(deep, "x") != ClassLookup::kFound, "tc= that multiply end");
  char* big = repeated("a:p=", "0123456789", 2000, ":\n");
  check(login_class.find(big, "a") == ClassLookup::kTooLong, "a class that is too long is told");
  char* twice = repeated("b:tc=a:tc=a:\na:p=", "0123456789", 900, ":\n");
  check(login_class.find(twice, "b") == ClassLookup::kTooLong, "a sum that is too long, too");
  static ClassEnvironment out;
  char* many = repeated("a:setenv=", "A=1,", 40, ":\n");
  out = ClassEnvironment();
  check(login_class.find(many, "a") == ClassLookup::kFound &&
            !read_environment(login_class, "u", "/", &out),
        "too many variables are told");
  char* homes = repeated("a:path=", "~", 400, ":\n");
  char* home = repeated("/", "0123456789", 100, "");
  out = ClassEnvironment();
  check(login_class.find(homes, "a") == ClassLookup::kFound &&
            !read_environment(login_class, "u", home, &out),
        "an environment that grows too long is told");
  char* const all[] = {wide, deep, big, twice, many, homes, home};
  for (char* text : all) free(text);
}

}  // namespace

void test_login_classes() {
  test_values();
  test_inclusion();
  test_environment();
  test_bounds();
}

}  // namespace selftest
