#include "command.hh"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <new>

#include "../common/wipe.hh"
#include "login.hh"
#include "protocol.hh"

namespace dfjail {
namespace {

// By its name alone, or as NAME=value.
bool has_variable(const CommandSpec& spec, const char* name) {
  const size_t n = strcspn(name, "=");
  for (size_t i = 0; i < spec.env_count; i++) {
    if (strncmp(spec.env[i], name, n) == 0 && spec.env[i][n] == '=') return true;
  }
  return false;
}

void add_variable(Command* command, size_t slot, const char* name, const char* value) {
  CommandSpec& spec = command->spec;
  if (value[0] == '\0' || has_variable(spec, name)) return;
  snprintf(command->variables[slot], sizeof command->variables[slot], "%s=%s", name, value);
  spec.env[spec.env_count++] = command->variables[slot];
}

// PATH is always there; when nobody asked for that one, the class has the say.
bool replace_default_path(CommandSpec* spec, const char* variable) {
  constexpr char kPath[] = "PATH=";
  const size_t n = strlen(kPath);
  if ((spec->flags & CommandSpec::kDefaultPath) == 0 || strncmp(variable, kPath, n) != 0)
    return false;
  for (size_t i = 0; i < spec->env_count; i++) {
    if (strncmp(spec->env[i], kPath, n) == 0) spec->env[i] = variable;
  }
  spec->flags &= ~CommandSpec::kDefaultPath;
  return true;
}

void add_class_variables(Command* command) {
  CommandSpec& spec = command->spec;
  const ClassEnvironment& environment = *command->class_environment;
  const char* variable = environment.text;
  for (size_t i = 0; i < environment.count; i++) {
    const char* next = variable + strlen(variable) + 1;
    if (!replace_default_path(&spec, variable) && !has_variable(spec, variable))
      spec.env[spec.env_count++] = variable;
    variable = next;
  }
}

bool find_class(const Jail& jail, Command* command, Error* error) {
  void* memory = calloc(1, sizeof(ClassEnvironment));
  if (memory == nullptr) return fail(error, "user", "malloc", "", ENOMEM);
  command->class_environment = ::new (memory) ClassEnvironment();
  return find_login_class(jail, &command->identity, command->class_environment, error);
}

uint64_t microseconds(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
}

}  // namespace

Command* new_command(const unsigned char* payload, size_t size) {
  void* memory = calloc(1, sizeof(Command));
  if (memory == nullptr) return nullptr;
  Command* command = ::new (memory) Command();
  for (int& fd : command->descriptors) fd = -1;
  command->frame = static_cast<unsigned char*>(malloc(size + 1));
  command->frame_size = size;
  if (command->frame != nullptr) {
    memcpy(command->frame, payload, size);
    return command;
  }
  free_command(command);
  return nullptr;
}

bool decode(Command* command) {
  Reader reader(command->frame, command->frame_size);
  return decode_command(&reader, &command->spec) && command->spec.argc > 0;
}

void wipe_command(Command* command) {
  if (command->frame != nullptr) wipe_memory(command->frame, command->frame_size);
  wipe_memory(command->variables, sizeof command->variables);
  wipe_memory(&command->identity, sizeof command->identity);
  if (command->class_environment != nullptr)
    wipe_memory(command->class_environment, sizeof *command->class_environment);
}

void free_command(Command* command) {
  close_descriptors(command);
  wipe_command(command);
  free_command(&command->spec);
  free(command->frame);
  free(command->class_environment);
  command->~Command();
  free(command);
}

bool apply_login(const Jail& jail, Command* command, Error* error) {
  CommandSpec& spec = command->spec;
  const bool login = (spec.flags & CommandSpec::kLogin) != 0;
  if (spec.cwd[0] == '\0')
    spec.cwd = login && command->identity.home[0] != '\0' ? command->identity.home : "/";
  if (!login) return true;
  if (has_login_classes() && !find_class(jail, command, error)) return false;
  const Identity& id = command->identity;
  add_variable(command, 0, "HOME", id.home[0] == '\0' ? "/" : id.home);
  add_variable(command, 1, "SHELL", id.shell[0] == '\0' ? "/bin/sh" : id.shell);
  add_variable(command, 2, "USER", id.name);
  add_variable(command, 3, "LOGNAME", id.name);
  add_variable(command, 4, "TERM", spec.terminal_type);
  if (command->class_environment != nullptr) add_class_variables(command);
  return true;
}

void close_descriptors(Command* command) {
  for (size_t i = 0; i < command->spec.stdio_count; i++) {
    if (command->spec.stdio[i] == Slot::kPassed && command->descriptors[i] >= 0)
      close(command->descriptors[i]);
    command->descriptors[i] = -1;
  }
}

uint64_t microseconds_since(const timespec& then) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t seconds = now.tv_sec - then.tv_sec;
  return static_cast<uint64_t>(seconds * 1'000'000 + (now.tv_nsec - then.tv_nsec) / 1000);
}

Reaped reap_command(Command* command, Ending* ending) {
  rusage usage = {};
  pid_t pid;
  do {
    pid = wait4(command->started.pid, &ending->status, WNOHANG, &usage);
  } while (pid < 0 && errno == EINTR);
  if (pid == 0 || (pid < 0 && errno != ECHILD)) return Reaped::kNotYet;
  ending->user_us = microseconds(usage.ru_utime);
  ending->system_us = microseconds(usage.ru_stime);
  ending->max_rss = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  ending->wall_us = microseconds_since(command->started_at);
  if (pid > 0) return Reaped::kYes;
  ending->status = command->status_known ? command->status : kUnknownStatus;
  return Reaped::kTaken;
}

}  // namespace dfjail
