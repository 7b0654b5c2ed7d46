// What tests of pipelines share: commands, starts, stops, and an observer that
// writes down what a pipeline tells it: `CM`, `DATA 0 2`, `PCL 0 2` (command,
// stream), `EXIT of 0`, `EXIT 0 -15`, `CL`, `PAUSE`, `RESUME`.
//
//   PipelineActor run = NewPipeline();
//   ASSERT_TRUE(StartIt(run, PipedThrough({Idle(), {"cat"}})).ok());
//   EXPECT_EQ(StopBy(run), "EXIT -15 0");
#ifndef TROUPE_TESTS_PROCESS_RUNNING_PIPELINE_H_
#define TROUPE_TESTS_PROCESS_RUNNING_PIPELINE_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "process/pipeline_actor.h"
#include "process/pipeline_messages.h"
#include "tests/support/process_fixture.h"

namespace troupe {

// "EXIT 0 -15"
std::string Describe(const PipelineExited& exited);

class RunningPipelineTest : public ProcessTest {
 protected:
  PipelineActor NewPipeline() { return SpawnPipeline(services()); }
  PipelineObserver NewPipelineObserver();

  // The outer ends and every stderr piped; no observer yet.
  static StartPipeline PipedThrough(
      std::vector<std::vector<std::string>> commands);

  // With a new observer if the request has none. Sets pids_.
  absl::StatusOr<PipelineStarted> StartIt(const PipelineActor& run,
                                          StartPipeline start);
  // "EXIT 0 -15" or the error's text.
  std::string StopBy(const PipelineActor& run, StopPipeline stop = {});

  // Neither reads nor writes, and dies of any signal.
  static std::vector<std::string> Idle() { return {"sleep", "1000"}; }
  // The same, but not of SIGTERM from when it has written to stderr.
  static std::vector<std::string> Stubborn() {
    return {"sh", "-c", "trap '' TERM; echo r >&2; exec sleep 1000"};
  }

  std::vector<pid_t> pids_;  // of the last start
};

}  // namespace troupe

#endif  // TROUPE_TESTS_PROCESS_RUNNING_PIPELINE_H_
