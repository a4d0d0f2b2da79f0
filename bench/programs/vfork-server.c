// The floor of every design in which somebody else than Node forks: for each byte that comes on the
// socket 3, starts the program, waits for it, and answers its exit status.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char *arguments[] = {argv[argc - 1], NULL};
  char *environment[] = {NULL};
  char byte;
  while (recv(3, &byte, 1, 0) == 1) {
    int status = 0;
    pid_t pid = vfork();
    if (pid == 0) {
      execve(arguments[0], arguments, environment);
      _exit(127);
    }
    waitpid(pid, &status, 0);
    byte = (char)(status >> 8);
    if (send(3, &byte, 1, MSG_NOSIGNAL) != 1) return 1;
  }
  return 0;
}
