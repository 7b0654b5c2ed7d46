// A spawner behind an admission, that asks the fixture's spawner or a scripted
// one, and starts whose answers go into the trace.
//
//   Limit({.live = 1});
//   auto held = MakeIdle();
//   SpawnLater("other", Request({.argv = {ChildProgram("exit_with")}}));
//   ASSERT_TRUE(WaitForWaiting(1));
//   held = absl::CancelledError();
//   EXPECT_TRUE(trace_->WaitFor("other: made"));
#ifndef TROUPE_TESTS_PROCESS_ADMISSION_FIXTURE_H_
#define TROUPE_TESTS_PROCESS_ADMISSION_FIXTURE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "process/process_messages.h"
#include "process/spawn_admission.h"
#include "process/spawn_attempt.h"
#include "process/subprocess.h"
#include "tests/support/process_fixture.h"

namespace troupe {

class SpawnAdmissionTest : public ProcessTest {
 protected:
  ~SpawnAdmissionTest() override;

  void Limit(AdmissionLimits limits);
  // The scripted spawner notes the program of each start, `try x`, and answers
  // with what `answer` says; when that is nothing, the real one does.
  void LimitScripted(AdmissionLimits limits,
                     std::function<absl::Status(const Command&)> answer);

  // The services with the admission as their spawner.
  ProcessServices limited() const;
  Subprocess NewLimited() { return SpawnSubprocess(limited()); }
  StartProcess Waiting();

  static SpawnChild Request(Command command);
  absl::StatusOr<ChildSpawned> Make(Command command) {
    return Ask<ChildSpawned>(admission_, Request(std::move(command)));
  }
  // A child that runs as long as the answer is kept.
  absl::StatusOr<ChildSpawned> MakeIdle();
  // The answer goes into the trace: `label: made`, or why not.
  void SpawnLater(const std::string& label, SpawnChild request);

  AdmissionInfo Info();
  // Asks again and again.
  bool WaitForInfo(std::function<bool(const AdmissionInfo&)> holds);
  bool WaitForWaiting(size_t waiting);

  Admission admission_;
  Spawner scripted_;
  // Of the scripted spawner, for an abort that comes too late for the real one.
  std::shared_ptr<SpawnAttempt> made_by_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_PROCESS_ADMISSION_FIXTURE_H_
