#pragma once
// A stub for compiling only: see README.md.
