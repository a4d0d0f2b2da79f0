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

#include "../common/number.hh"
#include "../common/unique_fd.hh"
#include "recover.hh"

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

const char* keep(Recovery* recovery, const std::string& text) {
  recovery->texts.push_back(text);
  return recovery->texts.back().c_str();
}

// 0 where there is none.
template <typename Number>
Number number_of(const std::string& text) {
  const char* at = text.c_str();
  Number number = 0;
  return take_number(&at, &number) ? number : 0;
}

Error error_of(Recovery* recovery, const Record& record) {
  Error error;
  error.number = number_of<int>(record[kNumber]);
  error.code = keep(recovery, record[kCode]);
  error.syscall = keep(recovery, record[kSyscall]);
  error.step = keep(recovery, record[kFailedStep]);
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

bool run_recovery(const std::string& folder, uint32_t jid, std::vector<Record>* records,
                  Error* error) {
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

// One record begins a jail, those after it are what was done about it.
void add_record(Recovery* recovery, const Record& record) {
  if (record[kKind] == "jail") {
    Recovered jail;
    jail.jid = number_of<uint32_t>(record[kJid]);
    jail.name = record[kWhat];
    return recovery->jails.push_back(std::move(jail));
  }
  if (recovery->jails.empty()) return;
  const bool undone = record[kKind] == "undone";
  recovery->jails.back().note(record[kWhat], undone ? Error() : error_of(recovery, record));
}

}  // namespace

bool recover(const std::string& folder, uint32_t jid, Recovery* recovery, Error* error) {
  std::vector<Record> records;
  if (!run_recovery(folder, jid, &records, error)) return false;
  if (!records.empty() && records.back()[kJid] == "0") {  // nothing could be done at all
    *error = error_of(recovery, records.back());
    return false;
  }
  for (const Record& record : records) add_record(recovery, record);
  return true;
}

}  // namespace dfjail
