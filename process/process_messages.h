// The protocol of child processes: who makes them, who watches them, and the
// Subprocess that is one.
//
// Spawner (blocks; on a thread of its own)
//   SpawnChild     subprocess -> spawner    answered by ChildSpawned or by the
//                                           step, path and errno that failed
//
// ProcReader (takes milliseconds; on a worker)
//   ListGroup      subprocess -> reader     who is left in a process group
//   FindHolders    subprocess -> reader     who can still write into pipes
//
// Child watcher
//   WatchChild     subprocess -> watcher    answered when the watch stands
//   ChildExited    watcher -> subprocess    exactly once; the zombie stays,
//                                           unless it says `reaped`
//   ReapChild      subprocess -> watcher    the zombie may go
//   UnwatchChild   anyone -> watcher        when it is answered nothing more
//                                           will be sent; the child is left
//   AttachWatcher  anyone -> watcher        listen, and ask all children; a new
//                                           watcher does it by itself
//   DetachWatcher  anyone -> watcher        stop listening
//   CloseWatcher   anyone -> watcher        the same, and forget all children
//   AskWatcher     anyone -> watcher        answered when it knows whether it
//                                           can listen
//
// Subprocess
//   StartProcess   owner -> subprocess      answered by ProcessStarted, or by
//                                           why not; nothing is left behind
//                                           then
//   Write          anyone -> subprocess     to its stdin, as to a transport
//   CloseStdin     anyone -> subprocess     when all of that is written
//   ResizePty      owner -> subprocess      NOT_FOUND when it has none, or no
//                                           more
//   SendSignal     owner -> subprocess      through the pidfd; after the exit:
//                                           NOT_FOUND, never a stranger
//   StopProcess    owner -> subprocess      walk the stop plan; answered by the
//                                           ProcessExited when it is over
//   DetachProcess  owner -> subprocess      let it outlive us; answered by
//                                           ProcessDetached
//   CloseStreams   owner -> subprocess      our ends, at once
//   CloseStreamsWhenSilent                  the same when no output came for a
//                                           time and none is in flight: for a
//                                           grandchild that holds them
//   ListHolders    anyone -> subprocess     who holds its output streams; by
//                                           StreamHolders
//   GetProcessInfo anyone -> subprocess     answered by ProcessInfo
//   WaitForExit    anyone -> subprocess     answered by ProcessExited
//   WaitForEnd     anyone -> subprocess     answered by ProcessEnded
//   ProcessStarted subprocess -> observer   first
//   ProcessOutput  subprocess -> observer   bytes of one stream, in order; the
//                                           Credit bounds what is in flight
//   StreamClosed   subprocess -> observer   once for each piped stream
//   ProcessExited  subprocess -> observer   exactly once; its streams may still
//                                           be open (a grandchild can hold
//                                           them)
//   ProcessEnded   subprocess -> observer   last: exited and all streams closed
//
// Between streams, and between a stream and ProcessExited, no order is promised
// (row P13).
#ifndef TROUPE_PROCESS_PROCESS_MESSAGES_H_
#define TROUPE_PROCESS_PROCESS_MESSAGES_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "caf/actor_addr.hpp"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/fd_ticket.h"
#include "io/io_messages.h"
#include "process/child_lease.h"
#include "process/command.h"
#include "process/exit_report.h"
#include "process/pipe_holders.h"
#include "process/process_info.h"
#include "process/spawn_attempt.h"
#include "process/stop_plan.h"

namespace troupe {

// Spawner.

struct SpawnChild {
  Command command;
  std::shared_ptr<SpawnAttempt> attempt;  // never null
  // Whose turn it takes where starts wait for one; nothing: the sender's.
  caf::actor_addr owner = {};
  size_t together = 1;  // see StartProcess
};
struct ChildSpawned {
  std::shared_ptr<ChildLease> child;
  FdTicket stdin_pipe;  // our ends, as in SpawnedChild; empty: none
  FdTicket stdout_pipe;
  FdTicket stderr_pipe;
  FdTicket terminal;
};
using Spawner =
    caf::typed_actor<caf::replies_to<SpawnChild>::with<ChildSpawned>>;

// ProcReader.

struct ListGroup {
  pid_t group = -1;
};
struct GroupListed {
  std::vector<pid_t> members;  // alive, without the leader
};
struct FindHolders {
  std::vector<PipeId> pipes;
};
struct HoldersFound {
  std::vector<PipeHolder> holders;  // see PipeHolders
};
using ProcReader =
    caf::typed_actor<caf::replies_to<ListGroup>::with<GroupListed>,
                     caf::replies_to<FindHolders>::with<HoldersFound>>;

// Child watcher.

struct ChildExited {
  pid_t pid = -1;
  ExitReport report;
  // The zombie is gone: the pid and its group may mean strangers by now.
  bool reaped = false;
  // It was not seen to exit: the watcher has ended, and nobody will tell. The
  // status is Lost.
  bool unwatched = false;
};
using ChildObserver = caf::typed_actor<caf::reacts_to<ChildExited>>;
struct WatchChild {
  pid_t pid = -1;
  SharedFd pidfd;  // null: the child is known by its pid alone
  ChildObserver observer;
  // If the child is watched already: this observer gets its exit, the one of
  // before is told nothing (row C9). Otherwise ALREADY_EXISTS.
  bool replace = false;
};
struct WatchingChild {};
struct ReapChild {
  pid_t pid = -1;
  bool reaped = false;  // already, by the sender: it is only to be forgotten
};
struct UnwatchChild {
  pid_t pid = -1;
};
struct ChildUnwatched {
  bool was_watched = false;  // and its exit not told yet
};
struct AttachWatcher {};
struct WatcherAttached {};
struct DetachWatcher {};
struct CloseWatcher {};
struct WatcherDetached {
  // FAILED_PRECONDITION if somebody else's SIGCHLD handler was found and left.
  absl::Status restored;
};
struct AskWatcher {};
struct WatcherInfo {
  std::string kind;  // "pidfd"
  bool active = false;
  size_t watched = 0;  // children whose exit is not told yet
};
using ChildWatcher =
    caf::typed_actor<caf::replies_to<WatchChild>::with<WatchingChild>,
                     caf::reacts_to<ReapChild>,
                     caf::replies_to<UnwatchChild>::with<ChildUnwatched>,
                     caf::replies_to<AttachWatcher>::with<WatcherAttached>,
                     caf::replies_to<DetachWatcher>::with<WatcherDetached>,
                     caf::replies_to<CloseWatcher>::with<WatcherDetached>,
                     caf::replies_to<AskWatcher>::with<WatcherInfo>>;

// Subprocess.

enum class ProcessStream { kStdin = 0, kStdout = 1, kStderr = 2 };

struct ProcessStarted {
  pid_t pid = -1;
};
struct ProcessOutput {
  ProcessStream stream = ProcessStream::kStdout;
  Bytes bytes;
  Credit credit;
  absl::Duration at = {};  // when it was read, from the child's start
};
struct StreamClosed {
  ProcessStream stream = ProcessStream::kStdout;
  absl::Status why;       // OK after its end or a close
  size_t bytes_lost = 0;  // of stdin: accepted and never written
};
struct ProcessExited {
  pid_t pid = -1;
  ExitReport report;
  absl::Duration ran;  // wall time
};
struct ProcessEnded {};
using ProcessObserver = caf::typed_actor<
    caf::reacts_to<ProcessStarted>, caf::reacts_to<ProcessOutput>,
    caf::reacts_to<StreamClosed>, caf::reacts_to<ProcessExited>,
    caf::reacts_to<ProcessEnded>, caf::reacts_to<PauseWriting>,
    caf::reacts_to<ResumeWriting>>;

struct StartProcess {
  Command command;
  ProcessObserver observer;  // when it ends, the process is stopped
  StopPlan stop_plan = {};   // for that, and for StopProcess without its own
  // From the request to the exec; a child that hangs there longer is killed.
  absl::Duration spawn_deadline = absl::Seconds(30);
  size_t window = 256 * 1024;  // of each output stream, see ReadTransport
  // With a group of its own: the child that has ended is reaped by StopProcess
  // only. Until then its group can be stopped, whatever is left in it.
  bool keep_group = false;
  // Whose start it is where starts wait for their turn (spawn_admission.h);
  // nothing: the observer's.
  caf::actor_addr owner = {};
  // How many children that feed each other must live at once, this one
  // included. Where fewer may, the start is refused.
  size_t together = 1;
};
struct SendSignal {
  int number = 0;
  bool to_group = false;  // if it has one of its own, to all of it
};
struct CloseStdin {};
struct ResizePty {  // in characters
  unsigned short rows = 0;
  unsigned short columns = 0;
};
struct StopProcess {
  // Nothing: the plan the process was started with. A second StopProcess that
  // comes while a plan is walked replaces it.
  std::optional<StopPlan> plan = std::nullopt;
};
// From the answer on nobody's end stops or kills the process. Our ends of its
// streams are closed: what it writes to a pipe of ours then ends it by SIGPIPE,
// a terminal of ours hangs up. As long as this program and the subprocess last,
// its exit is told and it is reaped, and it can be signalled and stopped.
// Errors: NOT_FOUND when it does not run; FAILED_PRECONDITION while it is being
// stopped, or when it has a parent-death signal.
struct DetachProcess {};
struct ProcessDetached {
  pid_t pid = -1;
};
struct CloseStreams {
  std::optional<ProcessStream> only = std::nullopt;  // nothing: all of them
};
struct CloseStreamsWhenSilent {
  absl::Duration silence = absl::Seconds(1);
};
struct ListHolders {};
struct StreamHolder {
  pid_t pid = -1;
  ProcessStream stream = ProcessStream::kStdout;
  std::string program;
};
struct StreamHolders {
  std::vector<StreamHolder> holders;  // of open streams that are pipes
};
struct GetProcessInfo {};
struct WaitForExit {};
struct WaitForEnd {};
using Subprocess = caf::typed_actor<
    caf::replies_to<StartProcess>::with<ProcessStarted>,
    caf::replies_to<Write>::with<Drained>, caf::reacts_to<CloseStdin>,
    caf::reacts_to<ResizePty>, caf::reacts_to<SendSignal>,
    caf::replies_to<StopProcess>::with<ProcessExited>,
    caf::replies_to<DetachProcess>::with<ProcessDetached>,
    caf::reacts_to<CloseStreams>, caf::reacts_to<CloseStreamsWhenSilent>,
    caf::replies_to<ListHolders>::with<StreamHolders>,
    caf::replies_to<GetProcessInfo>::with<ProcessInfo>,
    caf::replies_to<WaitForExit>::with<ProcessExited>,
    caf::replies_to<WaitForEnd>::with<ProcessEnded>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SpawnChild)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ChildSpawned)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ListGroup)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::GroupListed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::FindHolders)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::HoldersFound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ChildExited)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WatchChild)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WatchingChild)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ReapChild)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::UnwatchChild)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ChildUnwatched)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AttachWatcher)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WatcherAttached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::DetachWatcher)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CloseWatcher)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WatcherDetached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AskWatcher)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WatcherInfo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ProcessStarted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ProcessOutput)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StreamClosed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ProcessExited)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ProcessEnded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StartProcess)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SendSignal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CloseStdin)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ResizePty)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StopProcess)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::DetachProcess)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ProcessDetached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CloseStreams)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CloseStreamsWhenSilent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ListHolders)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StreamHolders)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::GetProcessInfo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ProcessInfo)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WaitForExit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::WaitForEnd)

#endif  // TROUPE_PROCESS_PROCESS_MESSAGES_H_
