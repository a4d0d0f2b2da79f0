// The floor of every design in which somebody else than Node forks: for each line that comes on the
// socket 3, whatever it says, starts the program, waits for it, and answers its exit status.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char *arguments[] = {argv[argc - 1], NULL};
  char *environment[] = {NULL};
  char text[4096];
  ssize_t n;
  while ((n = recv(3, text, sizeof text, 0)) > 0) {
    if (text[n - 1] != '\n') continue;
    int status = 0;
    pid_t pid = vfork();
    if (pid == 0) {
      execve(arguments[0], arguments, environment);
      _exit(127);
    }
    waitpid(pid, &status, 0);
    char byte = (char)(status >> 8);
    if (send(3, &byte, 1, MSG_NOSIGNAL) != 1) return 1;
  }
  return 0;
}
