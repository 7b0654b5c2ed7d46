// Starts a process for each argument; each of them, and this one last, prints
// its role and pid when it is ready, and then waits until nobody reads stdout:
//
//   member    as it is forked: in our group and session
//   group     in a group of its own
//   session   in a session of its own
//   orphan    in a session of its own, its parent ended
//   ignore    a member that ignores SIGTERM
//   circle    a member, and from then on its child, and the child's child: each
//             forks and ends at once. Its pid is that of the first
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace {

bool HasReader(int patience) {
  pollfd out = {1, 0, 0};
  return poll(&out, 1, patience) == 0;
}

[[noreturn]] void Wait(const char* role, pid_t pid) {
  dprintf(1, "%s %d\n", role, pid);
  HasReader(-1);
  _exit(0);
}

[[noreturn]] void Circle() {
  dprintf(1, "circle %d\n", getpid());
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    if (fork() != 0 || !HasReader(0)) _exit(0);
  }
}

[[noreturn]] void Play(const char* role) {
  if (strcmp(role, "group") == 0) setpgid(0, 0);
  if (strcmp(role, "session") == 0) setsid();
  if (strcmp(role, "ignore") == 0) signal(SIGTERM, SIG_IGN);
  if (strcmp(role, "circle") == 0) Circle();
  Wait(role, getpid());
}

// Only we can write into the pipe, and close it when the parent is reaped: then
// its child is an orphan.
void GrowOrphan() {
  int reaped[2];
  if (pipe(reaped) != 0) _exit(1);
  int parent = fork();
  if (parent != 0) {
    waitpid(parent, nullptr, 0);
    close(reaped[0]);
    close(reaped[1]);
    return;
  }
  close(reaped[1]);
  setsid();
  if (fork() != 0) _exit(0);
  pollfd end = {reaped[0], 0, 0};
  poll(&end, 1, -1);
  close(reaped[0]);
  Wait("orphan", getpid());
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "orphan") == 0) {
      GrowOrphan();
    } else if (fork() == 0) {
      Play(argv[i]);
    }
  }
  Wait("leader", getpid());
}
