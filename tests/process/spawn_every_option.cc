// Spawns /bin/true once for each option of a command, and once with all of
// them; for a test that looks on. Prints "all <n>", or what failed.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "process/reap.h"
#include "process/spawn.h"

namespace troupe {
namespace {

struct Trial {
  const char* name;
  Command command;
};

Command True() {
  return {.argv = {"/bin/true"},
          .stdin_from = Stdio::Null(),
          .stdout_to = Stdio::Null(),
          .stderr_to = Stdio::Null()};
}

// Each sets one option of the command it is given.
using Setter = void (*)(Command*);

const std::pair<const char*, Setter> kSetters[] = {
    {"environment",
     [](Command* c) {
       c->environment = {.inherit = false, .set = {{"PATH", "/bin"}}};
     }},
    {"program", [](Command* c) { c->program = "true"; }},
    {"cwd", [](Command* c) { c->cwd = "/"; }},
    {"pipe", [](Command* c) { c->stdin_from = Stdio::Pipe(); }},
    {"socket pair", [](Command* c) { c->stdin_from = Stdio::SocketPair(); }},
    {"file",
     [](Command* c) {
       c->stdin_from = Stdio::File("/dev/null", Stdio::FileMode::kRead);
     }},
    {"merged", [](Command* c) { c->stderr_to = Stdio::Merged(); }},
    {"extra descriptor",
     [](Command* c) { c->extra_fds = {{.child_number = 9, .fd = 0}}; }},
    {"umask", [](Command* c) { c->umask = 077; }},
    {"limit",
     [](Command* c) {
       c->limits = {{RLIMIT_CORE, 0, 0}};
     }},
    {"nice", [](Command* c) { c->scheduling.nice = 19; }},
    {"cpu",
     [](Command* c) {
       // One that it may run on.
       for (int cpu = 0; cpu < 64; ++cpu) c->scheduling.cpus.insert(cpu);
     }},
    {"oom score", [](Command* c) { c->scheduling.oom_score_adj = 1000; }},
    {"parent-death signal",
     [](Command* c) { c->parent_death_signal = SIGTERM; }},
    {"signals",
     [](Command* c) {
       c->signals = {
           .blocked = {SIGUSR1},
           .dispositions = {{SIGUSR2, SignalDisposition::kIgnore}},
       };
     }},
};

const std::pair<const char*, Setter> kGroupSetters[] = {
    {"group", [](Command* c) { c->group = ProcessGroup::kNewGroup; }},
    {"joined group", [](Command* c) { c->join_group = getpgrp(); }},
    {"session", [](Command* c) { c->group = ProcessGroup::kNewSession; }},
    {"terminal", [](Command* c) { UseTerminal(c); }},
};

// The last one has all of kSetters and a terminal.
std::vector<Trial> Trials() {
  std::vector<Trial> trials = {{"none", True()}};
  Command all = True();
  auto add = [&](const char* name, Setter set) {
    Trial trial = {name, True()};
    set(&trial.command);
    trials.push_back(trial);
  };
  for (const auto& [name, set] : kSetters) {
    add(name, set);
    set(&all);
  }
  for (const auto& [name, set] : kGroupSetters) add(name, set);
  UseTerminal(&all);
  if (geteuid() == 0) {
    add("uid", [](Command* c) { c->uid = 12345; });
    add("gid", [](Command* c) { c->gid = 12345; });
    add("groups", [](Command* c) { c->groups = {{12345}}; });
    all.uid = 12345;
    all.gid = 12345;
    all.groups = {{12345}};
  }
  trials.push_back({"all", all});
  return trials;
}

int Run() {
  int good = 0;
  for (const Trial& trial : Trials()) {
    auto child = Spawn(trial.command);
    if (!child.ok()) {
      printf("%s: %s\n", trial.name, child.status().ToString().c_str());
      continue;
    }
    good += AwaitExit(child->id())->status.exited();
    (void)Reap(child->id());
  }
  printf("all %d\n", good);
  return 0;
}

}  // namespace
}  // namespace troupe

int main() { return troupe::Run(); }
