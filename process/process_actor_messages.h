// The protocol of Process, the high level over Subprocess.
//
// Process (process.h)
//   LaunchProcess  owner -> process      answered by ProcessStarted, or by why
//                                        not; nothing is left behind then
//   RunProcess     owner -> process      launch, gather, end: all in one;
//                                        answered by Communicated
//   Communicate    anyone -> process     feed stdin, close it, gather the rest
//                                        of the output, wait for the exit
//   ReadFrom       anyone -> process     the next line, or so many bytes, of a
//                                        stream; answered by a Frame
//   ObserveOutput  anyone -> process     every chunk from now on, too
//   WaitForDrained anyone -> process     exit, and the streams' ends or a grace
//   WaitForClose   anyone -> process     the end of one stream
//   TerminateProcess, KillProcess        SendSignal with SIGTERM, SIGKILL
//   CloseProcess   anyone -> process     kill, reap, close; answered when that
//                                        is done
//   Write, CloseStdin, SendSignal, StopProcess, CloseStreams,
//   CloseStreamsWhenSilent, ListHolders, GetProcessInfo, WaitForExit,
//   WaitForEnd: as of Subprocess (process_messages.h)
//   ProcessOutput, StreamClosed   process -> output observer
#ifndef TROUPE_PROCESS_PROCESS_ACTOR_MESSAGES_H_
#define TROUPE_PROCESS_PROCESS_ACTOR_MESSAGES_H_

#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "caf/actor_addr.hpp"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/bytes.h"
#include "io/framing/frame.h"
#include "io/framing/reader_messages.h"
#include "io/io_messages.h"
#include "process/captured_output.h"
#include "process/command.h"
#include "process/output_store.h"
#include "process/process_info.h"
#include "process/process_messages.h"
#include "process/stop_plan.h"

namespace troupe {

struct LaunchProcess {
  Command command;
  StopPlan stop_plan = {};
  absl::Duration spawn_deadline = absl::Seconds(30);
  size_t window = 256 * 1024;  // of each output stream, see ReadTransport
  OutputOptions out = {};
  OutputOptions err = {};
  // The process is stopped by its plan when it has taken longer than this since
  // the launch, or when no output came for so long although somebody would have
  // taken it. What it had written is read to the end.
  absl::Duration timeout = absl::InfiniteDuration();
  absl::Duration quiet_timeout = absl::InfiniteDuration();
  // When it ends the process is stopped by its plan and its streams are closed.
  caf::actor_addr owner = {};
};

// What ended the process, or what it had left behind, as far as it was us.
enum class EndedBy {
  kItself,
  kRequest,    // StopProcess or CloseProcess
  kTimeout,    // LaunchProcess::timeout
  kSilence,    // LaunchProcess::quiet_timeout
  kOwnersEnd,  // LaunchProcess::owner
};

struct Communicate {
  // Stdin is closed behind it; also if there is none.
  std::optional<Bytes> input = std::nullopt;
  // DEADLINE_EXCEEDED when it is over; the process runs on, and what was
  // gathered is there for the next Communicate.
  absl::Duration timeout = absl::InfiniteDuration();
  // From the exit: for a grandchild that holds the output streams. Then the
  // answer has what came until now, and names the holders.
  absl::Duration grace = absl::InfiniteDuration();
};
struct Communicated {
  // Nothing for what is no pipe (row H3).
  std::optional<CapturedText> out = std::nullopt;
  std::optional<CapturedText> err = std::nullopt;
  ProcessExited exit = {};
  EndedBy ended_by = EndedBy::kItself;
  size_t input_lost = 0;  // bytes of the input that the child did not take
  bool drained = true;    // the output streams have ended
  std::vector<StreamHolder> holders = {};  // if not: who can still write
};

// The process belongs to who asks: it is stopped when they end. After the
// answer nothing of it is left but what left its group.
struct RunProcess {
  LaunchProcess launch;
  std::optional<Bytes> input = std::nullopt;
  absl::Duration grace = absl::InfiniteDuration();  // as of Communicate
};

struct ReadAll {};  // until the end, whatever the limit (row V28)
struct ReadFrom {
  using What =
      std::variant<ReadLine, ReadUntil, ReadExactly, ReadAvailable, ReadAll>;
  ProcessStream stream = ProcessStream::kStdout;
  What what = ReadLine{};
  // DEADLINE_EXCEEDED when it is over; nothing is lost by that.
  absl::Duration timeout = absl::InfiniteDuration();
};

struct WaitForDrained {
  absl::Duration grace = absl::InfiniteDuration();  // as of Communicate
};
struct ProcessDrained {
  ProcessExited exit = {};
  EndedBy ended_by = EndedBy::kItself;
  bool drained = true;
  // If not: who can still write. Nobody, if output waits for its reader.
  std::vector<StreamHolder> holders = {};
};

struct WaitForClose {
  ProcessStream stream = ProcessStream::kStdin;
};
struct TerminateProcess {};
struct KillProcess {};
struct CloseProcess {};

// Who is told every chunk of a stream, besides whoever reads it. A
// ProcessObserver is one.
using OutputObserver = caf::typed_actor<caf::reacts_to<ProcessOutput>,
                                        caf::reacts_to<StreamClosed>>;
struct ObserveOutput {
  OutputObserver observer;
  std::optional<ProcessStream> only = std::nullopt;  // nothing: both
};

using Process = caf::typed_actor<
    caf::replies_to<LaunchProcess>::with<ProcessStarted>,
    caf::replies_to<RunProcess>::with<Communicated>,
    caf::replies_to<Communicate>::with<Communicated>,
    caf::replies_to<ReadFrom>::with<Frame>, caf::reacts_to<ObserveOutput>,
    caf::replies_to<WaitForDrained>::with<ProcessDrained>,
    caf::replies_to<WaitForClose>::with<StreamClosed>,
    caf::reacts_to<TerminateProcess>, caf::reacts_to<KillProcess>,
    caf::replies_to<CloseProcess>::with<ProcessEnded>,
    caf::replies_to<Write>::with<Drained>, caf::reacts_to<CloseStdin>,
    caf::reacts_to<SendSignal>,
    caf::replies_to<StopProcess>::with<ProcessExited>,
    caf::reacts_to<CloseStreams>, caf::reacts_to<CloseStreamsWhenSilent>,
    caf::replies_to<ListHolders>::with<StreamHolders>,
    caf::replies_to<GetProcessInfo>::with<ProcessInfo>,
    caf::replies_to<WaitForExit>::with<ProcessExited>,
    caf::replies_to<WaitForEnd>::with<ProcessEnded>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::LaunchProcess)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::RunProcess)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Communicate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Communicated)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ReadFrom)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WaitForDrained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ProcessDrained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WaitForClose)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::TerminateProcess)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::KillProcess)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CloseProcess)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ObserveOutput)

#endif  // TROUPE_PROCESS_PROCESS_ACTOR_MESSAGES_H_
