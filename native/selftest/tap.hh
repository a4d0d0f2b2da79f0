#pragma once

// Results in the Test Anything Protocol.
namespace selftest {

// One result; returns `ok`. The rest is as printf.
bool check(bool ok, const char* format, ...) __attribute__((format(printf, 2, 3)));
// A comparison that shows both sides when it fails.
bool is(long long got, long long wanted, const char* what);
bool is_text(const char* got, const char* wanted, const char* what);
void skip(const char* what, const char* reason);
void note(const char* format, ...) __attribute__((format(printf, 1, 2)));
// The plan, last. Returns the exit status.
int finish();

}  // namespace selftest
