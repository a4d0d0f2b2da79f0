#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "../common/listing.hh"
#include "../monitor/identity.hh"
#include "../monitor/protocol.hh"
#include "client.hh"
#include "system.hh"
#include "tap.hh"

namespace selftest {
namespace {

using dfjail::Reader;
using dfjail::Type;
using dfjail::Writer;

void test_frames() {
  Writer writer(Type::kSpawn, 77);
  writer.u32(5);
  writer.u64(1ULL << 40);
  writer.str("text");
  size_t size = 0;
  const unsigned char* frame = writer.frame(&size);
  Reader reader(frame + 12, size - 12);
  is(reader.u32(), 5, "a number of 32 bits comes back");
  is(static_cast<long long>(reader.u64()), 1LL << 40, "a number of 64 bits comes back");
  is_text(reader.str(), "text", "a string comes back");
  check(reader.finished(), "nothing is left");
  is(reader.u32(), 0, "a read past the end gives 0");
  check(!reader.ok(), "and is remembered");
}

// Every truncation and many changed bytes of a good message: an answer, never a read outside.
void test_hostile_frames() {
  Writer writer(Type::kCreate, 1);
  const char* const texts[] = {"/state", "/jail", "host", "name"};
  for (const char* text : texts) writer.str(text);
  writer.u32(1);
  writer.str("10.0.0.1");
  writer.u32(1);
  writer.u32(0);
  writer.str("");
  writer.u32(9);
  writer.u32(0);
  writer.u32(0);
  writer.u64(1);
  writer.u64(1);
  writer.u32(0);
  size_t size = 0;
  const unsigned char* frame = writer.frame(&size);
  static dfjail::JailSpec spec;
  Reader whole(frame + 12, size - 12);
  check(dfjail::decode_spec(&whole, &spec), "a spec is decoded");
  bool refused = true;
  for (size_t n = 0; n < size - 12; n++) {
    Reader cut(frame + 12, n);
    refused = refused && !dfjail::decode_spec(&cut, &spec);
  }
  check(refused, "every truncated spec is refused");
  unsigned char copy[512];
  unsigned random = 12345;
  for (int i = 0; i < 20000; i++) {
    memcpy(copy, frame + 12, size - 12);
    random = random * 1103515245U + 12345U;
    copy[(random >> 8) % (size - 12)] = static_cast<unsigned char>(random >> 16);
    Reader changed(copy, size - 12);
    dfjail::decode_spec(&changed, &spec);
    Reader as_command(copy, size - 12);
    dfjail::CommandSpec command;
    dfjail::decode_command(&as_command, &command);
    dfjail::free_command(&command);
  }
  check(true, "20,000 changed messages were decoded or refused");
}

void test_password_lines() {
  char good[] = "www:*:80:81:World:/home/www:/bin/sh";
  dfjail::PasswdLine line;
  check(dfjail::parse_passwd_line(good, &line), "a password line is understood");
  is(line.uid, 80, "its uid");
  is_text(line.home, "/home/www", "its home");
  char negative[] = "x:*:-1:0::/:";
  check(!dfjail::parse_passwd_line(negative, &line), "a negative uid is refused");
  char huge[] = "x:*:4294967296:0::/:";
  check(!dfjail::parse_passwd_line(huge, &line), "a uid beyond 32 bits is refused");
  char cut[] = "x:*:1";
  check(!dfjail::parse_passwd_line(cut, &line), "a short line is refused");
  char master[] = "www:$6$x:80:81:daemon:0:0:World:/home/www:/bin/sh";
  is_text(dfjail::class_in_line(master, "www"), "daemon", "a login class is found");
  char other[] = "www2:*:80:81:daemon:0:0::/:";
  check(dfjail::class_in_line(other, "www") == nullptr, "not that of another user");
  char plain[] = "www:*:80:81:World";
  check(dfjail::class_in_line(plain, "www") == nullptr, "and none in a line that is too short");
  check(dfjail::has_member("a,bc,d", "bc"), "a member is found");
  check(!dfjail::has_member("a,bcd", "bc"), "a longer name is no member");
}

void test_listing_budget() {
  dfjail::Address addresses[32];
  for (dfjail::Address& address : addresses) {
    dfjail::parse_address("2001:db8:1111:2222:3333:4444:5555:6666", &address);
  }
  is(static_cast<long long>(dfjail::listed_length(addresses[0])), 39,
     "an IPv6 address takes 39 bytes");
  const char* const texts[] = {"::", "::1", "1::", "fd00::1", "1:0:2:0:3:0:4:0", "1:2:3:4:5:6:7:0"};
  const char* const listed[] = {"::",
                                "::0001",
                                "0001::",
                                "fd00::0001",
                                "0001:0:0002:0:0003:0:0004:",
                                "0001:0002:0003:0004:0005:0006:0007:"};
  for (size_t i = 0; i < 6; i++) {
    dfjail::Address address;
    dfjail::parse_address(texts[i], &address);
    is(static_cast<long long>(dfjail::listed_length(address)),
       static_cast<long long>(strlen(listed[i])), texts[i]);
  }
  check(dfjail::fits_listing("/jail", "host", addresses, 24), "24 of them fit");
  check(!dfjail::fits_listing("/jail", "host", addresses, 25), "25 do not");
  dfjail::parse_address("127.0.0.1", &addresses[0]);
  is(static_cast<long long>(dfjail::listed_length(addresses[0])), 9, "127.0.0.1 takes 9");
}

void ends_after(const char* monitor, const void* bytes, size_t size, const char* what) {
  Client client;
  if (!check(client.start(monitor), "a monitor starts")) return;
  client.send_raw(bytes, size);
  check(client.ended(), "%s ends the connection", what);
  const int status = client.reap();
  check(status >= 0 && WIFEXITED(status), "and the monitor, which does not crash");
}

void test_nonsense(const char* monitor) {
  const unsigned char zeros[12] = {0};
  const unsigned char long_one[12] = {0xFF, 0xFF, 0xFF, 0x7F, 1, 0, 0, 0, 1, 0, 0, 0};
  const unsigned char unknown[12] = {8, 0, 0, 0, 99, 0, 0, 0, 1, 0, 0, 0};
  const unsigned char spawn_first[12] = {8, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0};
  const unsigned char version[20] = {16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 9, 0, 0, 0, 0, 0, 0};
  ends_after(monitor, zeros, sizeof zeros, "a frame without length");
  ends_after(monitor, long_one, sizeof long_one, "a frame that is too long");
  ends_after(monitor, unknown, sizeof unknown, "an unknown type");
  ends_after(monitor, spawn_first, sizeof spawn_first, "a SPAWN before HELLO");
  ends_after(monitor, version, sizeof version, "another version");
}

void test_goodbye(const char* monitor) {
  Client client;
  check(client.start(monitor) && client.hello(), "HELLO is answered with WELCOME");
  client.hang_up();
  is(client.reap(), 0, "a monitor without a jail ends with status 0 when nobody is left");
  Client told;
  check(told.start(monitor) && told.hello(), "another one");
  kill(told.pid(), SIGTERM);
  is(told.reap(), 0, "ends with status 0 on SIGTERM");
}

}  // namespace

void test_portable(const Options& options) {
  test_frames();
  test_hostile_frames();
  test_password_lines();
  test_listing_budget();
  test_login_classes();
  if (options.monitor[0] == '\0') return skip("the monitor", "no --monitor was given");
  test_nonsense(options.monitor);
  test_goodbye(options.monitor);
}

}  // namespace selftest
