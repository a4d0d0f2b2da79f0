#pragma once

#include <stdint.h>

#include "../client.hh"
#include "root.hh"

// What the tests of the monitor have in common: jails are made, programs run in them.
namespace selftest {

constexpr const char* kSelf = "/selftest";

// Where everything happens.
struct Scene {
  const Options* options;
  const Root* root;
};

// What one command said and how it ended.
struct Result {
  bool ran = false;
  int status = -1;
  uint32_t pid = 0;
  Refusal refusal;
  char output[4096] = "";
};

Spec plain(const Scene& scene);
// The jid of READY; 0 when it was something else.
uint32_t ready(const Message& message);
uint32_t make(Client* client, const Scene& scene, const Spec& spec, const char* what);
Program program(const char* verb, const char* first = nullptr, const char* second = nullptr);
bool wait_exit(Client* client, uint32_t command, int* status);
void read_all(int fd, char* out, size_t size);
bool start(Client* client, const Program& what, uint32_t* command, Result* result);
// Runs it to its end.
Result run(Client* client, Program what, const char* input = nullptr);
void says(Client* client, const Program& what, const char* wanted, const char* name);
bool refused(const Refusal& no, const char* step, uint32_t number, const char* code,
             const char* what);
void stop(Client* client, uint32_t jid, const char* what);
// A running command that says "ready" first; its number, 0 when it did not start.
uint32_t start_staying(Client* client, const char* verb, const char* word, uint32_t* pid);
// Has the host this address?
bool host_has(const char* text);
bool is_clean(const Scene& scene);
void nothing_left(const Scene& scene, const char* what);

}  // namespace selftest
