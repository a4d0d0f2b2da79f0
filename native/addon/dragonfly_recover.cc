#include "dragonfly_recover.hh"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "../common/unique_fd.hh"
#include "arguments.hh"
#include "errors.hh"
#include "promise_worker.hh"

// Runs jail-recover (native/recover), which lies beside the addon, and hears what it did.
namespace dfjail {
namespace {

constexpr const char* kStep = "unregister";
constexpr int kReports = 3;
constexpr int kAboveStdio = 10;

// One of its records.
enum Field { kKind, kJid, kWhat, kNumber, kCode, kSyscall, kFailedStep, kPath, kDetail, kFields };
using Record = std::array<std::string, kFields>;

// A record that is cut short is left out: the program was killed.
std::vector<Record> split_records(const std::string& text) {
  std::vector<Record> records;
  Record record;
  size_t field = 0;
  for (size_t at = 0, end = 0; (end = text.find('\0', at)) != std::string::npos; at = end + 1) {
    record[field++] = text.substr(at, end - at);
    if (field < kFields) continue;
    records.push_back(record);
    field = 0;
  }
  return records;
}

// The texts of an Error are constants elsewhere: this one points into the record.
Error error_of(const Record& record) {
  Error error;
  error.number = atoi(record[kNumber].c_str());
  error.code = record[kCode].c_str();
  error.syscall = record[kSyscall].c_str();
  error.step = record[kFailedStep].c_str();
  copy_text(error.path, record[kPath].c_str());
  copy_text(error.detail, record[kDetail].c_str());
  return error;
}

bool find_program(std::string* file, Error* error) {
  Dl_info self;
  if (dladdr(reinterpret_cast<const void*>(&find_program), &self) == 0) {
    return fail(error, kStep, "dladdr", "jail-recover", ENOENT);
  }
  *file = self.dli_fname;
  file->resize(file->rfind('/') == std::string::npos ? 0 : file->rfind('/') + 1);
  *file += "jail-recover";
  return true;
}

// 0, or the number of the error. A process group of its own: ^C is not meant for it.
int spawn_with(const std::vector<std::string>& arguments, int reports, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none;
  sigemptyset(&none);
  std::string path = "PATH=/usr/bin:/bin:/usr/sbin:/sbin";
  char* environment[] = {path.data(), nullptr};
  std::vector<char*> argv;
  for (const std::string& text : arguments) argv.push_back(const_cast<char*>(text.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  posix_spawn_file_actions_adddup2(&actions, 0, 2);
  posix_spawn_file_actions_adddup2(&actions, reports, kReports);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  const int number = posix_spawn(pid, argv[0], &actions, &attributes, argv.data(), environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return number;
}

// Until the other end is closed.
std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(buffer, static_cast<size_t>(n));
  }
}

bool has_succeeded(pid_t pid) {
  int status = 0;
  pid_t done;
  do {
    done = waitpid(pid, &status, 0);
  } while (done < 0 && errno == EINTR);
  return done == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool run_recovery(const std::string& folder, int jid, std::vector<Record>* records, Error* error) {
  std::string file;
  int ends[2];
  if (!find_program(&file, error)) return false;
  if (pipe2(ends, O_CLOEXEC) < 0) return fail(error, kStep, "pipe2");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  // Above every number that it gets in the child, where dup2 would keep the close-on-exec flag.
  UniqueFd above(fcntl(writer.get(), F_DUPFD_CLOEXEC, kAboveStdio));
  if (!above) return fail(error, kStep, "fcntl");
  writer.reset();
  pid_t pid = -1;
  const int number = spawn_with({file, folder, std::to_string(jid)}, above.get(), &pid);
  if (number != 0) return fail(error, kStep, "posix_spawn", file.c_str(), number);
  above.reset();
  *records = split_records(read_all(reader.get()));
  const bool succeeded = has_succeeded(pid);
  if (succeeded || (!records->empty() && records->back()[kJid] == "0")) return true;
  return fail(error, kStep, "jail-recover", folder.c_str(), EIO);
}

// ---- into JavaScript

Napi::Object make_report(Napi::Env env, const Record& record) {
  Napi::Object report = Napi::Object::New(env);
  const std::string& name = record[kWhat];
  report.Set("jid", Napi::Number::New(env, atoi(record[kJid].c_str())));
  report.Set("name", name.empty() ? env.Null() : Napi::String::New(env, name));
  report.Set("undone", Napi::Array::New(env));
  report.Set("failed", Napi::Array::New(env));
  return report;
}

void push(Napi::Object report, const char* key, Napi::Value value) {
  const Napi::Value list = report.Get(key);
  list.As<Napi::Array>().Set(list.As<Napi::Array>().Length(), value);
}

void add_outcome(Napi::Object report, const Record& record) {
  const Napi::Env env = report.Env();
  const Napi::String what = Napi::String::New(env, record[kWhat]);
  if (record[kKind] == "undone") return push(report, "undone", what);
  Napi::Object failure = Napi::Object::New(env);
  failure.Set("what", what);
  failure.Set("error", make_error(env, error_of(record)));
  push(report, "failed", failure);
}

class Recover : public PromiseWorker {
 public:
  Recover(Napi::Env env, std::string folder, int jid)
      : PromiseWorker(env, "Recover"), folder_(std::move(folder)), jid_(jid) {}

 private:
  bool run(Error* error) override {
    if (!run_recovery(folder_, jid_, &records_, error)) return false;
    const bool nothing_done = !records_.empty() && records_.back()[kJid] == "0";
    if (nothing_done) *error = error_of(records_.back());
    return !nothing_done;
  }

  Napi::Value result(Napi::Env env) override {
    Napi::Array reports = Napi::Array::New(env);
    Napi::Object report;
    for (const Record& record : records_) {
      if (record[kKind] == "jail") {
        report = make_report(env, record);
        reports.Set(reports.Length(), report);
      } else if (!report.IsEmpty()) {
        add_outcome(report, record);
      }
    }
    return reports;
  }

  std::string folder_;
  int jid_;
  std::vector<Record> records_;
};

Napi::Value start_recover(const Napi::CallbackInfo& info) {
  std::string folder;
  int jid = 0;
  if (!get_text(info, 0, "stateDir", &folder) || !get_integer(info, 1, "jid", 0, INT32_MAX, &jid)) {
    return info.Env().Undefined();
  }
  return (new Recover(info.Env(), std::move(folder), jid))->start();
}

}  // namespace

void define_recover(Napi::Env env, Napi::Object exports) {
  exports.Set("recover", Napi::Function::New(env, start_recover, "recover"));
}

}  // namespace dfjail
