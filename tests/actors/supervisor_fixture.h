// A supervisor of real processes, and an observer that writes down what it is
// told: `a started 0`, `a wrote r`, `a exit code 3`, `a asked killed by
// SIGTERM`, `a drained`, `a restarts 1 100ms`, `a not started ...`, `stopping 2
// because a`, `stopping 2`, `ended`.
//
//   Start({Exiting("a", 3), Waiting("b")});
//   EXPECT_THAT(Facts(), Contains("stopping 1 because a"));
#ifndef TROUPE_TESTS_ACTORS_SUPERVISOR_FIXTURE_H_
#define TROUPE_TESTS_ACTORS_SUPERVISOR_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/config.h"
#include "actors/supervisor.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/send.hpp"
#include "io/owned_fd.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/trace.h"

namespace troupe {

class SupervisorFixture : public LeakCheckedTest {
 protected:
  SupervisorFixture();
  ~SupervisorFixture() override;

  static MemberSpec Member(std::string name, std::vector<std::string> argv);
  static MemberSpec Exiting(std::string name, int code);
  // Runs a script; it and all that come of it are `somebody`.
  MemberSpec Shell(std::string name, const std::string& script) const;
  // Writes "r", then runs until it is stopped.
  MemberSpec Waiting(std::string name) const;
  // Writes "r" and ignores SIGTERM.
  MemberSpec Stubborn(std::string name) const;

  void Start(std::vector<MemberSpec> members);

  template <class T>
  void Tell(T message) {
    caf::anon_send(group_, std::move(message));
  }

  // Until the end.
  std::vector<std::string> Facts();
  std::vector<std::string> FactsOf(const std::string& name);

  // Returns when nobody is left of the groups of shells, of which one has
  // written.
  void WaitUntilNobodyIsLeft() { WaitForHangUp(somebody_); }

  Config config_;
  std::unique_ptr<caf::actor_system> actors_;
  std::unique_ptr<System> system_;
  std::shared_ptr<Trace> trace_ = std::make_shared<Trace>();
  SupervisorObserver observer_;
  Supervisor group_;

 private:
  // A FIFO that each shell opens to write, and leaves open to its children.
  const ScratchFolder folder_;
  const std::string path_ = folder_.PathOf("somebody");
  OwnedFd somebody_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_SUPERVISOR_FIXTURE_H_
