// The transports on those of a child's standard streams that we have an end of,
// as their subprocess sees them: which there are, which sender is which, which
// are still open.
#ifndef TROUPE_PROCESS_CHILD_STREAMS_H_
#define TROUPE_PROCESS_CHILD_STREAMS_H_

#include <array>
#include <optional>

#include "caf/actor_control_block.hpp"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "process/child_stdio.h"
#include "process/command.h"
#include "process/pipe_holders.h"
#include "process/process_messages.h"

namespace troupe {

class ChildStreams {
 public:
  // Spawns a transport for each stream that `command` wants with an end for us;
  // they are connected when there is a child. What is written to stdin waits
  // until then. A pty is read by the first output that leads to it.
  void Prepare(IoHost& host, const IoActor& io, const Command& command,
               size_t window);

  // Which pipes they are, while the tickets still have our ends.
  void NotePipes(const ChildSpawned& spawned);

  const WriteTransport& in() const { return stdin_; }
  const ReadTransport& out() const { return outputs_[0]; }
  const ReadTransport& err() const { return outputs_[1]; }

  // The stream whose transport is `sender`.
  std::optional<ProcessStream> StreamOf(
      const caf::strong_actor_ptr& sender) const;

  // False if it was closed already, or never ours. The end of what is read from
  // a pty ends what is written to it, which would not notice.
  bool MarkClosed(ProcessStream stream);
  bool AnyOpen() const { return open_[0] || open_[1] || open_[2]; }
  bool PtyOpen() const;
  bool merged() const { return merged_; }

  // The pipe behind an output stream that is open.
  std::optional<PipeId> OpenPipe(ProcessStream stream) const;

  // Asks the transport to give its descriptor up, unwritten input and unread
  // output included.
  void Close(ProcessStream stream) const;
  void CloseAll() const;

  // Reads no more output.
  void PauseOutputs() const;

 private:
  WriteTransport stdin_;
  std::array<ReadTransport, 2> outputs_;
  std::array<bool, 3> open_ = {};
  std::array<bool, 3> is_pty_ = {};
  std::array<std::optional<PipeId>, 3> pipes_ = {};
  bool merged_ = false;  // stderr leads where stdout does
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_CHILD_STREAMS_H_
