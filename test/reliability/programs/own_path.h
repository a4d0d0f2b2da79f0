#pragma once
#include <stddef.h>

/* The path of this very program, with its NUL; below 0: it cannot be told. */
int own_path(char *path, size_t size);
