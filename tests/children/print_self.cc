// Prints facts about itself, one `name=value` per line: pid, ppid, pgid, sid,
// foreground (the terminal's group), uid, gid, groups, umask, pdeathsig,
// nofile.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

int main() {
  printf("pid=%d\nppid=%d\npgid=%d\nsid=%d\n", getpid(), getppid(), getpgrp(),
         getsid(0));
  int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
  printf("foreground=%d\n", terminal < 0 ? -1 : tcgetpgrp(terminal));
  printf("uid=%u\ngid=%u\ngroups=", geteuid(), getegid());
  gid_t groups[64];
  int count = getgroups(64, groups);
  for (int i = 0; i < count; ++i) printf(i == 0 ? "%u" : ",%u", groups[i]);
  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  printf("\numask=%04o\npdeathsig=%d\nnofile=%llu\n", umask(0), death_signal,
         static_cast<unsigned long long>(limit.rlim_cur));
}
