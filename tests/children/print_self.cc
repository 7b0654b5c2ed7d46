// Prints facts about itself, one `name=value` per line: pid, ppid, pgid, sid,
// foreground (the terminal's group), uid, gid, groups, umask, pdeathsig,
// nofile, nice, cpus, oom_score_adj.
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

// In pieces of sets, because there may be more processors than one holds.
static void PrintCpus() {
  std::vector<cpu_set_t> sets(8);
  const size_t size = sets.size() * sizeof sets[0];
  if (sched_getaffinity(0, size, sets.data()) != 0) return;
  const char* separator = "cpus=";
  for (int cpu = 0; cpu < static_cast<int>(size * 8); ++cpu) {
    if (!CPU_ISSET_S(cpu, size, sets.data())) continue;
    printf("%s%d", separator, cpu);
    separator = ",";
  }
  printf("\n");
}

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
  printf("nice=%d\n", getpriority(PRIO_PROCESS, 0));
  PrintCpus();
  int score = 9999;
  FILE* file = fopen("/proc/self/oom_score_adj", "r");
  if (file == nullptr || fscanf(file, "%d", &score) != 1) score = 9999;
  printf("oom_score_adj=%d\n", score);
}
