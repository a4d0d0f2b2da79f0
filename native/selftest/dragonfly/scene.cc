#include "scene.hh"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../dragonfly/alias.hh"
#include "../../dragonfly/anchor.hh"
#include "../tap.hh"

namespace selftest {

using dfjail::Type;
using dfjail::UniqueFd;

Spec plain(const Scene& scene) {
  Spec spec;
  spec.path = scene.root->path;
  return spec;
}

uint32_t ready(const Message& message) {
  if (message.type != Type::kReady) return 0;
  dfjail::Reader reader = message.reader();
  return reader.u32();
}

uint32_t make(Client* client, const Scene& scene, const Spec& spec, const char* what) {
  if (!client->start(scene.options->monitor) || !client->hello()) {
    check(false, "%s: a monitor starts", what);
    return 0;
  }
  const Message answer = client->receive(client->create(scene.root->state, spec), 30000);
  const uint32_t jid = ready(answer);
  const Refusal no = refusal_of(answer);
  check(jid != 0, "%s: is made (%s %s %s %u %s)", what, no.step, no.syscall, no.path, no.number,
        no.code);
  return jid;
}

Program program(const char* verb, const char* first, const char* second) {
  Program out;
  out.argv[0] = kSelf;
  out.argv[1] = "--child";
  out.argv[2] = verb;
  out.argv[3] = first;
  out.argv[4] = second;
  return out;
}

// EXITED comes with id 0 and names the command.
bool wait_exit(Client* client, uint32_t command, int* status) {
  for (int i = 0; i < 8; i++) {
    const Message message = client->receive(0);
    if (message.type != Type::kExited) return false;
    dfjail::Reader reader = message.reader();
    if (reader.u32() != command) continue;
    *status = static_cast<int>(reader.u32());
    return true;
  }
  return false;
}

void read_all(int fd, char* out, size_t size) {
  size_t used = 0;
  pollfd wait = {fd, POLLIN, 0};
  while (used + 1 < size && poll(&wait, 1, 10000) > 0) {
    const ssize_t n = read(fd, out + used, size - 1 - used);
    if (n <= 0) break;
    used += static_cast<size_t>(n);
  }
  out[used] = '\0';
}

bool start(Client* client, const Program& what, uint32_t* command, Result* result) {
  const Message answer = client->receive(client->spawn(what));
  result->refusal = refusal_of(answer);
  if (answer.type != Type::kSpawned) return false;
  dfjail::Reader reader = answer.reader();
  *command = reader.u32();
  result->pid = reader.u32();
  return true;
}

Result run(Client* client, Program what, const char* input) {
  Result result;
  int out[2];
  int in[2] = {-1, -1};
  uint32_t command = 0;
  if (pipe2(out, O_CLOEXEC) < 0 || pipe2(in, O_CLOEXEC) < 0) return result;
  UniqueFd from(out[0]);
  UniqueFd to(in[1]);
  what.stdio[0] = in[0];
  what.stdio[1] = out[1];
  const bool started = start(client, what, &command, &result);
  close(out[1]);
  close(in[0]);
  if (!started) return result;
  if (input != nullptr && write(to.get(), input, strlen(input)) < 0) return result;
  to.reset();
  read_all(from.get(), result.output, sizeof result.output);
  result.ran = wait_exit(client, command, &result.status);
  return result;
}

void says(Client* client, const Program& what, const char* wanted, const char* name) {
  const Result result = run(client, what);
  if (!result.ran) {
    const Refusal& no = result.refusal;
    check(false, "%s: ran (%s %s %s %u %s)", name, no.step, no.syscall, no.path, no.number,
          no.code);
    return;
  }
  is_text(result.output, wanted, name);
}

bool refused(const Refusal& no, const char* step, uint32_t number, const char* code,
             const char* what) {
  const bool right =
      strcmp(no.step, step) == 0 && no.number == number && strcmp(no.code, code) == 0;
  return check(right, "%s: refused at %s (%u %s; %s)", what, no.step, no.number, no.code,
               no.detail);
}

void stop(Client* client, uint32_t jid, const char* what) {
  const Message answer = client->receive(client->stop(SIGTERM, 200), 30000);
  const Refusal no = refusal_of(answer);
  check(answer.type == Type::kStopped, "%s: is stopped (%s %u %s)", what, no.step, no.number,
        no.detail);
  is(client->reap(), 0, "its monitor ends");
  check(!dfjail::jail_exists(jid), "the kernel has forgotten it");
}

// Running command that says "ready" first.
uint32_t start_staying(Client* client, const char* verb, const char* word, uint32_t* pid) {
  int out[2];
  uint32_t command = 0;
  Result result;
  Program what = program(verb, word);
  if (pipe2(out, O_CLOEXEC) < 0) return 0;
  const UniqueFd from(out[0]);
  what.stdio[1] = out[1];
  const bool started = start(client, what, &command, &result);
  close(out[1]);
  char text[8] = "";
  pollfd wait = {from.get(), POLLIN, 0};
  if (!started || poll(&wait, 1, 10000) <= 0 || read(from.get(), text, sizeof text - 1) <= 0)
    return 0;
  *pid = result.pid;
  return command;
}

bool is_empty_folder(const Scene& scene, const char* name) {
  const char* path = below(scene.root->state, name);
  return rmdir(path) == 0 && mkdir(path, 0755) == 0;
}

bool host_has(const char* text) {
  dfjail::Address address;
  bool has = false;
  return dfjail::parse_address(text, &address) && dfjail::host_has_address(address, &has) && has;
}

bool is_clean(const Scene& scene) {
  return count_mounts(scene.root->path) == 0 && is_empty_folder(scene, "jails") &&
         is_empty_folder(scene, "names");
}

void nothing_left(const Scene& scene, const char* what) {
  is(count_mounts(scene.root->path), 0, "no mount is left");
  check(is_clean(scene), "%s: and nothing in the registry", what);
}

}  // namespace selftest
