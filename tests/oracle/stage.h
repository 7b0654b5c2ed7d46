// What the operations of one scenario share on Troupe's side: the loops, the
// callbacks by name, and the trace. scenario.py has the language.
//
//   Stage stage(system, ReadScript(std::cin));
//   AddCallbackOperations(stage.operations());
//   stage.Perform("main");
#ifndef TROUPE_TESTS_ORACLE_STAGE_H_
#define TROUPE_TESTS_ORACLE_STAGE_H_

#include <cstddef>
#include <functional>
#include <istream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "actors/loop.h"
#include "actors/system.h"

namespace troupe {

using Words = std::vector<std::string>;
// The operations of `main` and of each callback.
using Script = std::map<std::string, std::vector<Words>>;

Script ReadScript(std::istream& in);

// One write(2), so that a forked child cannot repeat it.
void Trace(const std::string& line);

std::string PythonBool(bool value);
std::string JoinWords(const Words& words, size_t from = 0);
// "7" is 7 ms, "inf" for ever.
absl::Duration ParseMs(const std::string& ms);

class Stage {
 public:
  // Gets what follows the operation's name; returns what is traced as its
  // value, if anything.
  using Operation =
      std::function<absl::StatusOr<std::string>(Stage&, const Words&)>;
  using Operations = std::map<std::string, Operation>;

  Stage(System& system, Script script);
  ~Stage();

  Operations& operations() { return operations_; }

  // Does what the script has for `name`; it may have nothing.
  void Perform(const std::string& name);
  // One operation; traces its value or its error.
  void Do(const Words& words);
  // Traces its name, then performs it.
  Callback CallbackOf(const std::string& name);
  // Keeps a handle for later operations; gives its error to Do.
  absl::StatusOr<std::string> Keep(const std::string& name, CallHandle handle);
  // Does something on another thread, which ends before the stage does.
  void InBackground(std::function<void()> what);
  // Does something with the second loop in place of the first.
  void OnOtherLoop(const std::function<void()>& what);

  Loop& loop() { return *loop_; }
  System& system() { return system_; }
  CallHandle& handle(const std::string& name) { return handles_.at(name); }
  int& run_count(const std::string& name) { return runs_[name]; }
  void Silence(const std::string& name) { silent_.insert(name); }
  absl::Duration zero() const { return zero_; }
  void SetZero() { zero_ = loop_->Time(); }

 private:
  std::unique_ptr<Loop> NewLoop();

  System& system_;
  const Script script_;
  Operations operations_;
  std::unique_ptr<Loop> first_;
  std::unique_ptr<Loop> second_;  // made when it is asked for
  Loop* loop_;
  absl::Duration zero_;
  std::map<std::string, CallHandle> handles_;
  std::map<std::string, int> runs_;
  std::set<std::string> silent_;
  std::vector<std::thread> threads_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ORACLE_STAGE_H_
