#pragma once

namespace selftest {

// `jail-selftest --child VERB…`: what runs in the jail. Returns the exit status.
int be_inmate(int argc, char** argv);

}  // namespace selftest
