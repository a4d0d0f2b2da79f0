#include <stdio.h>
#include <string.h>

#include "class_value.hh"
#include "login_class.hh"
#include "spec.hh"

// What a login class says, as what is changed in a process: see lib/libutil of DragonFly.
namespace dfjail {
namespace {

enum class Kind : uint32_t { kTime, kSize, kNumber };

struct ResourceName {
  const char* name;
  Kind kind;
};
constexpr ResourceName kResources[kClassResources] = {
    {"cputime", Kind::kTime},   {"filesize", Kind::kSize},    {"datasize", Kind::kSize},
    {"stacksize", Kind::kSize}, {"memoryuse", Kind::kSize},   {"memorylocked", Kind::kSize},
    {"maxproc", Kind::kNumber}, {"openfiles", Kind::kNumber}, {"coredumpsize", Kind::kSize},
    {"sbsize", Kind::kSize},    {"vmemoryuse", Kind::kSize},  {"posixlocks", Kind::kNumber},
};

// Of rtprio(2), before and behind those of setpriority(2).
constexpr int64_t kLowestPriority = -52;
constexpr int64_t kHighestPriority = 52;

bool read_limit(const LoginClass& login_class, const char* name, Kind kind, uint64_t* out) {
  if (kind == Kind::kTime) return login_class.time(name, out);
  if (kind == Kind::kSize) return login_class.size(name, out);
  int64_t number;
  if (!login_class.number(name, &number)) return false;
  // The kernel takes negative ones for no limit.
  *out = number < 0 || number == INT64_MAX ? kUnlimited : static_cast<uint64_t>(number);
  return true;
}

// `name` is both; `name-cur` and `name-max` come before it.
void read_limits(const LoginClass& login_class, const ResourceName& resource, ClassLimit* out) {
  const auto read = [&](const char* ending, bool* has, uint64_t* value) {
    char name[32];
    snprintf(name, sizeof name, "%s%s", resource.name, ending);
    *has = read_limit(login_class, name, resource.kind, value) || *has;
  };
  read("", &out->has_soft, &out->soft);
  out->has_hard = out->has_soft;
  out->hard = out->soft;
  read("-cur", &out->has_soft, &out->soft);
  read("-max", &out->has_hard, &out->hard);
}

struct VariableName {
  const char* capability;
  const char* name;
  bool is_path;
};
constexpr VariableName kVariables[] = {
    {"path", "PATH", true},  {"cdpath", "CDPATH", true},       {"manpath", "MANPATH", true},
    {"lang", "LANG", false}, {"charset", "MM_CHARSET", false}, {"timezone", "TZ", false},
    {"term", "TERM", false},
};

class EnvironmentWriter {
 public:
  EnvironmentWriter(const char* user, const char* home, ClassEnvironment* out)
      : user_(user), home_(home), out_(out) {}

  bool add(const char* name, const char* value) {
    if (out_->count == kMaxClassVariables) return false;
    out_->count++;
    return put_text(name) && put('=') && put_value(value) && put('\0');
  }

 private:
  bool put(char c) {
    if (out_->size == sizeof out_->text) return false;
    out_->text[out_->size++] = c;
    return true;
  }

  bool put_text(const char* text) {
    for (; *text != '\0'; text++) {
      if (!put(*text)) return false;
    }
    return true;
  }

  // A backslash before one of the two goes, and the character stays.
  bool put_value(const char* value) {
    for (const char* c = value; *c != '\0'; c++) {
      const bool is_escape = c[0] == '\\' && (c[1] == '~' || c[1] == '$');
      if (!(is_escape ? put(*++c) : put_replaced(c[0], c[1]))) return false;
    }
    return true;
  }

  bool put_replaced(char c, char next) {
    if (c == '$') return put_text(user_);
    if (c != '~') return put(c);
    const size_t n = strlen(home_);
    const bool needs_slash = n > 0 && home_[n - 1] != '/' && next != '/';
    return put_text(home_) && (!needs_slash || put('/'));
  }

  const char* user_;
  const char* home_;
  ClassEnvironment* out_;
};

// Blanks and commas part the directories.
void join_directories(char* value) {
  for (char* c = value; *c != '\0'; c++) {
    if (*c == ',' || *c == ' ' || *c == '\t') *c = ':';
  }
}

// From the last one on: it has the last word.
bool add_list(char* list, EnvironmentWriter* writer) {
  for (char* entry = list; entry != nullptr;) {
    char* comma = strrchr(list, ',');
    entry = comma == nullptr ? list : comma + 1;
    if (comma != nullptr) *comma = '\0';
    char* value = strchr(entry, '=');
    if (value != nullptr && value != entry) {
      *value++ = '\0';
      if (!writer->add(entry, value)) return false;
    }
    if (comma == nullptr) entry = nullptr;
  }
  return true;
}

}  // namespace

void read_context(const LoginClass& login_class, ClassContext* out) {
  for (size_t i = 0; i < kClassResources; i++)
    read_limits(login_class, kResources[i], &out->limits[i]);
  int64_t number;
  if (login_class.number("umask", &number)) out->umask = static_cast<uint32_t>(number & 0777);
  if (!login_class.number("priority", &number)) return;
  out->has_priority = number >= kLowestPriority && number <= kHighestPriority;
  if (out->has_priority) out->priority = static_cast<int32_t>(number);
}

bool read_environment(const LoginClass& login_class, const char* user, const char* home,
                      ClassEnvironment* out) {
  EnvironmentWriter writer(user, home, out);
  char value[kMaxClassEnvironment];
  const char* list = login_class.text("setenv");
  if (list != nullptr) {
    if (!decode_value(list, value, sizeof value) || !add_list(value, &writer)) return false;
  }
  for (const VariableName& variable : kVariables) {
    const char* text = login_class.text(variable.capability);
    if (text == nullptr) continue;
    if (!decode_value(text, value, sizeof value)) return false;
    if (variable.is_path) join_directories(value);
    if (!writer.add(variable.name, value)) return false;
  }
  return true;
}

}  // namespace dfjail
