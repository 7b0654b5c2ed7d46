// What became of many starts: of each the answer, and all that its observer was
// told, in order.
//
//   Outcomes outcomes(*system_);
//   outcomes.Start(services(), start);      // any number, one after the other
//   outcomes.WaitUntilOver();
//   StopAll();                              // nothing more will be told
//   EXPECT_THAT(Counted(outcomes.Take()), ElementsAre(Pair("CM EXIT CL", 9)));
//
// A start is over when it was refused, or when its observer was told of the
// end. Who is told twice has it in `told`. Output of children is let go.
//
// Waits fail the test after some minutes. For one thread; the observers are on
// CAF's workers.
#ifndef TROUPE_TESTS_STRESS_OUTCOMES_H_
#define TROUPE_TESTS_STRESS_OUTCOMES_H_

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "caf/actor_system.hpp"
#include "process/exit_status.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

namespace troupe {

struct Outcome {
  int answers = 0;
  absl::Status answer;
  pid_t pid = -1;    // if it was started
  std::string told;  // "CM EXIT CL": started, exited, ended
  ExitStatus status;
};

class Outcomes {
 public:
  explicit Outcomes(caf::actor_system& system);
  ~Outcomes();
  Outcomes(const Outcomes&) = delete;
  Outcomes& operator=(const Outcomes&) = delete;

  void Start(const ProcessServices& services, StartProcess start);

  // Until all are answered.
  void WaitForAnswers();
  // Until at most so many are not over.
  void WaitUntilOver(size_t but = 0);

  // When no observer is there any more, in the order of Start.
  std::vector<Outcome> Take();

 private:
  class List;

  caf::actor_system& system_;
  const std::shared_ptr<List> list_;
};

// How often what came out, so that ten thousand failures are one line:
//
//   "CM EXIT CL"                      started, exited with the code that
//                                     exit_with_pid has, and ended
//   "CM EXIT CL, killed by SIGTERM"   or otherwise
//   "NOT_FOUND: exec \"/no/such\"..."  refused; nothing was told
//
// An outcome that was not told exactly once is none of these.
std::map<std::string, size_t> Counted(const std::vector<Outcome>& outcomes);

}  // namespace troupe

#endif  // TROUPE_TESTS_STRESS_OUTCOMES_H_
