// The monitor has neither an environment nor a stderr: what the sanitizers are to do is compiled
// in.
//
// Leaks are looked for elsewhere: at its end the monitor is not dumpable, and LeakSanitizer is a
// debugger. A command's child that the monitor shares its memory with has a stack of its own.
// The sanitizers look for these names.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:detect_stack_use_after_return=0:abort_on_error=1:handle_abort=0:"
         "log_path=" REPORTS;
}

extern "C" const char* __ubsan_default_options() {
  return "print_stacktrace=1:abort_on_error=1:log_path=" REPORTS;
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
