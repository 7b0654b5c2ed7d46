// What a running pipeline hears and says, beside the messages of a subprocess
// (process_messages.h), which mean the same here:
//
//   StartPipeline  owner -> pipeline       answered by PipelineStarted, or by
//                                          why not and in which command (see
//                                          FailedCommandOf); those that ran
//                                          already are stopped and reaped then
//   Write          anyone -> pipeline      to the stdin of the first
//   CloseStdin     anyone -> pipeline      of the first
//   SendSignal     owner -> pipeline       to each command that still runs;
//                                          dropped if none does
//   StopPipeline   owner -> pipeline       walk the stop plan with all of them
//                                          at once; answered by PipelineExited
//   CloseStreams, CloseStreamsWhenSilent   our ends, of all of them
//   WaitForExit    anyone -> pipeline      answered by PipelineExited
//   WaitForEnd     anyone -> pipeline      answered by PipelineEnded
//   PipelineStarted       -> observer      first, when all run; what some did
//                                          before that comes right after it
//   PipelineOutput        -> observer      bytes of one stream, in order
//   PipelineStreamClosed  -> observer      once for each stream of ours
//   CommandExited         -> observer      once for each command
//   PipelineExited        -> observer      once, after the last of these
//   PipelineEnded         -> observer      last: all streams closed, too
//   PauseWriting, ResumeWriting            about the stdin of the first
//
// A command is named by its index. Which of two commands is heard of first says
// nothing.
#ifndef TROUPE_PROCESS_PIPELINE_MESSAGES_H_
#define TROUPE_PROCESS_PIPELINE_MESSAGES_H_

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/io_messages.h"
#include "process/exit_status.h"
#include "process/pipeline.h"
#include "process/process_messages.h"
#include "process/stop_plan.h"

namespace troupe {

struct PipelineStarted {
  std::vector<pid_t> pids;
};
struct PipelineOutput {
  size_t command = 0;
  ProcessStream stream = ProcessStream::kStdout;
  Bytes bytes;
  Credit credit;
};
struct PipelineStreamClosed {
  size_t command = 0;
  ProcessStream stream = ProcessStream::kStdout;
  absl::Status why;  // OK after its end or a close
};
struct CommandExited {
  size_t command = 0;
  ProcessExited exited;
};
struct PipelineExited {
  std::vector<ProcessExited> commands;

  std::vector<ExitStatus> Statuses() const {
    std::vector<ExitStatus> statuses;
    for (const ProcessExited& exited : commands) {
      statuses.push_back(exited.report.status);
    }
    return statuses;
  }
};
struct PipelineEnded {};
using PipelineObserver = caf::typed_actor<
    caf::reacts_to<PipelineStarted>, caf::reacts_to<PipelineOutput>,
    caf::reacts_to<PipelineStreamClosed>, caf::reacts_to<CommandExited>,
    caf::reacts_to<PipelineExited>, caf::reacts_to<PipelineEnded>,
    caf::reacts_to<PauseWriting>, caf::reacts_to<ResumeWriting>>;

struct StartPipeline {
  Pipeline pipeline;
  PipelineObserver observer;  // when it ends, the pipeline is stopped
  // For that, for StopPipeline without its own, and for what runs already when
  // a later command does not start; there it is replaced by a SIGKILL if it
  // does not come to one.
  StopPlan stop_plan = {};
  absl::Duration spawn_deadline = absl::Seconds(30);  // of each command
  size_t window = 256 * 1024;                         // of each output stream
};
struct StopPipeline {
  std::optional<StopPlan> plan = std::nullopt;  // nothing: the one of the start
};
using PipelineActor =
    caf::typed_actor<caf::replies_to<StartPipeline>::with<PipelineStarted>,
                     caf::replies_to<Write>::with<Drained>,
                     caf::reacts_to<CloseStdin>, caf::reacts_to<SendSignal>,
                     caf::replies_to<StopPipeline>::with<PipelineExited>,
                     caf::reacts_to<CloseStreams>,
                     caf::reacts_to<CloseStreamsWhenSilent>,
                     caf::replies_to<WaitForExit>::with<PipelineExited>,
                     caf::replies_to<WaitForEnd>::with<PipelineEnded>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::PipelineStarted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::PipelineOutput)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::PipelineStreamClosed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CommandExited)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::PipelineExited)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::PipelineEnded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StartPipeline)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StopPipeline)

#endif  // TROUPE_PROCESS_PIPELINE_MESSAGES_H_
