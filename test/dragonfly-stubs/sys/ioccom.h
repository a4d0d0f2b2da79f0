#pragma once
// A stub for compiling only: see README.md.
#define STUB_IOC(direction, group, number, size) \
  ((unsigned long)((direction) | (((size) & 0x1FFFUL) << 16) | ((group) << 8) | (number)))
#define _IO(g, n) STUB_IOC(0x20000000UL, (g), (n), 0)
#define _IOW(g, n, t) STUB_IOC(0x80000000UL, (g), (n), sizeof(t))
#define _IOWR(g, n, t) STUB_IOC(0xC0000000UL, (g), (n), sizeof(t))
