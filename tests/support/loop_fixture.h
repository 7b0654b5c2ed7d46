// A System and a Loop on the test's thread, with the loop's log kept.
//
//   class LoopTest : public LoopFixture {};
//   TEST_F(LoopTest, ...) { loop_->CallSoon(Says("a")); Run(); ... told_ ... }
#ifndef TROUPE_TESTS_SUPPORT_LOOP_FIXTURE_H_
#define TROUPE_TESTS_SUPPORT_LOOP_FIXTURE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/config.h"
#include "actors/loop.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "tests/support/leak_check.h"

namespace troupe {

class LoopFixture : public LeakCheckedTest {
 protected:
  LoopFixture();
  ~LoopFixture() override;

  std::unique_ptr<Loop> NewLoop(Clock* clock = nullptr);

  // A callback that writes a name down, and then does something.
  std::function<void()> Says(std::string name,
                             std::function<void()> then = nullptr);
  // One that writes it down and stops the loop.
  std::function<void()> SaysAndStops(std::string name);

  // RunForever; a refusal fails the test.
  void Run();

  // Runs iterations that may sleep until it holds; fails the test after 20 s.
  void RunUntil(const std::function<bool()>& holds);

  Config config_;
  std::unique_ptr<caf::actor_system> actors_;
  std::unique_ptr<System> system_;
  std::vector<std::string> told_;
  std::vector<std::string> log_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_LOOP_FIXTURE_H_
