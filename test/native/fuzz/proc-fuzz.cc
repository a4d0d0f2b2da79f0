// /proc/PID/stat and /proc/PID/status, with names and groups that a jail's processes choose.
//
// Input: the first byte is the size of the pieces that status is read in (0: all at once).
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../../native/linux/proc_parse.hh"

using dfjail::Process;
using dfjail::StatusParser;

namespace {

void look_at_stat(const char* text, size_t size) {
  Process process;
  if (!dfjail::parse_stat(text, size, &process)) return;
  if (strnlen(process.command, sizeof process.command) == sizeof process.command) abort();
}

// However it is cut, it says the same.
void look_at_status(const char* text, size_t size, size_t piece) {
  Process whole;
  Process cut;
  StatusParser at_once(&whole);
  StatusParser in_pieces(&cut);
  at_once.feed(text, size);
  for (size_t at = 0; at < size; at += piece)
    in_pieces.feed(text + at, size - at < piece ? size - at : piece);
  if (at_once.finished() != in_pieces.finished()) abort();
  if (whole.uid != cut.uid || whole.gid != cut.gid) abort();
  if (whole.levels != cut.levels || whole.jail_pid != cut.jail_pid) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const char* text = reinterpret_cast<const char*>(data + 1);
  look_at_stat(text, size - 1);
  look_at_status(text, size - 1, data[0] == 0 ? size : data[0]);
  return 0;
}
