// A supervisor of real processes, and an observer that writes down what it is
// told: `a started 0`, `a wrote r`, `a exit code 3`, `a asked killed by
// SIGTERM`, `a drained`, `a restarts 1 100ms`, `a not started ...`, `stopping 2
// because a`, `stopping 2`, `ended`.
//
//   Start({Exiting("a", 3), Waiting("b")});
//   EXPECT_THAT(Facts(), Contains("stopping 1 because a"));
#ifndef TROUPE_TESTS_ACTORS_SUPERVISOR_FIXTURE_H_
#define TROUPE_TESTS_ACTORS_SUPERVISOR_FIXTURE_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/config.h"
#include "actors/supervisor.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/send.hpp"
#include "tests/support/leak_check.h"
#include "tests/support/trace.h"

namespace troupe {

class SupervisorFixture : public LeakCheckedTest {
 protected:
  SupervisorFixture();
  ~SupervisorFixture() override;

  static MemberSpec Member(std::string name, std::vector<std::string> argv);
  // Writes "r", then runs until it is stopped.
  static MemberSpec Waiting(std::string name);
  static MemberSpec Exiting(std::string name, int code);
  // Writes "r" and ignores SIGTERM.
  static MemberSpec Stubborn(std::string name);

  void Start(std::vector<MemberSpec> members);

  template <class T>
  void Tell(T message) {
    caf::anon_send(group_, std::move(message));
  }

  // Until the end; without the pids, which differ each time.
  std::vector<std::string> Facts();
  std::vector<std::string> FactsOf(const std::string& name);

  std::vector<pid_t> Pids();
  // A dead orphan is there until init reaps it.
  static bool GroupIsGone(pid_t group);

  Config config_;
  std::unique_ptr<caf::actor_system> actors_;
  std::unique_ptr<System> system_;
  std::shared_ptr<Trace> trace_ = std::make_shared<Trace>();
  SupervisorObserver observer_;
  Supervisor group_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_SUPERVISOR_FIXTURE_H_
