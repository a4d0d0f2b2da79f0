#pragma once
// A stub for compiling only: see README.md.
#include <sys/types.h>
#define R_OK 4
#define W_OK 2
#define F_OK 0
#define SEEK_SET 0
#define SEEK_END 2
extern "C" {
int access(const char*, int);
int chdir(const char*);
int chroot(const char*);
int fchdir(int);
int close(int);
int closefrom(int);
int dup2(int, int);
int execve(const char*, char* const*, char* const*);
[[noreturn]] void _exit(int);
pid_t fork();
int ftruncate(int, off_t);
char* getcwd(char*, size_t);
gid_t getegid();
uid_t geteuid();
gid_t getgid();
int getgroups(int, gid_t*);
int gethostname(char*, size_t);
int getpeereid(int, uid_t*, gid_t*);
pid_t getpgrp();
pid_t getpid();
pid_t getppid();
uid_t getuid();
int isatty(int);
int link(const char*, const char*);
off_t lseek(int, off_t, int);
int pause();
int pipe(int*);
int pipe2(int*, int);
ssize_t pread(int, void*, size_t, off_t);
ssize_t pwrite(int, const void*, size_t, off_t);
ssize_t read(int, void*, size_t);
ssize_t readlinkat(int, const char*, char*, size_t);
int renameat(int, const char*, int, const char*);
int rmdir(const char*);
int setgroups(int, const gid_t*);
int setlogin(const char*);
int setresgid(gid_t, gid_t, gid_t);
int setresuid(uid_t, uid_t, uid_t);
pid_t setsid();
int setuid(uid_t);
int symlink(const char*, const char*);
int symlinkat(const char*, int, const char*);
pid_t tcgetpgrp(int);
char* ttyname(int);
char* getlogin();
int unlink(const char*);
int unlinkat(int, const char*, int);
int usleep(unsigned int);
ssize_t write(int, const void*, size_t);
}
