#pragma once
// A stub for compiling only: see README.md.
#define PATH_MAX 1024
#define INT_MAX __INT_MAX__
#define NAME_MAX 255
