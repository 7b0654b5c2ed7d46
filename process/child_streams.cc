#include "process/child_streams.h"

#include "caf/actor_cast.hpp"
#include "caf/send.hpp"
#include "io/read_transport.h"
#include "io/write_transport.h"

namespace troupe {

void ChildStreams::Prepare(IoHost& host, const IoActor& io,
                           const Command& command, size_t window) {
  merged_ = command.stderr_to.kind == Stdio::Kind::kMerged;
  auto is_pty = [](const Stdio& stdio) {
    return stdio.kind == Stdio::Kind::kPty;
  };
  if (command.stdin_from.IsStream()) {
    stdin_ = SpawnWriteTransport(host, io);
    open_[0] = true;
    is_pty_[0] = is_pty(command.stdin_from);
  }
  const Stdio* outputs[] = {&command.stdout_to, &command.stderr_to};
  for (int i = 0; i < 2; ++i) {
    const bool pty = is_pty(*outputs[i]);
    if (!outputs[i]->IsStream() || (pty && is_pty_[1])) continue;
    outputs_[i] =
        SpawnReadTransport(host, io, {.window = window, .hang_up_is_end = pty});
    open_[i + 1] = true;
    is_pty_[i + 1] = pty;
  }
}

void ChildStreams::NotePipes(const ChildSpawned& spawned) {
  pipes_[1] = PipeIdOf(spawned.stdout_pipe.number());
  pipes_[2] = PipeIdOf(spawned.stderr_pipe.number());
}

std::optional<PipeId> ChildStreams::OpenPipe(ProcessStream stream) const {
  const int index = static_cast<int>(stream);
  return open_[index] ? pipes_[index] : std::nullopt;
}

std::optional<ProcessStream> ChildStreams::StreamOf(
    const caf::strong_actor_ptr& sender) const {
  caf::actor_addr address = caf::actor_cast<caf::actor_addr>(sender);
  if (stdin_ && stdin_.address() == address) return ProcessStream::kStdin;
  if (out() && out().address() == address) return ProcessStream::kStdout;
  if (err() && err().address() == address) return ProcessStream::kStderr;
  return std::nullopt;
}

bool ChildStreams::MarkClosed(ProcessStream stream) {
  bool& open = open_[static_cast<int>(stream)];
  bool was_open = open;
  open = false;
  const bool is_pty = is_pty_[static_cast<int>(stream)];
  if (was_open && is_pty && is_pty_[0]) Close(ProcessStream::kStdin);
  return was_open;
}

bool ChildStreams::PtyOpen() const {
  for (int i = 0; i < 3; ++i) {
    if (open_[i] && is_pty_[i]) return true;
  }
  return false;
}

void ChildStreams::Close(ProcessStream stream) const {
  int index = static_cast<int>(stream);
  if (!open_[index]) return;
  if (stream == ProcessStream::kStdin) {
    caf::anon_send(stdin_, AbortTransport{});
  } else {
    caf::anon_send(outputs_[index - 1], CloseTransport{});
  }
}

void ChildStreams::CloseAll() const {
  for (ProcessStream stream : {ProcessStream::kStdin, ProcessStream::kStdout,
                               ProcessStream::kStderr}) {
    Close(stream);
  }
}

void ChildStreams::PauseOutputs() const {
  for (int i = 0; i < 2; ++i) {
    if (open_[i + 1]) caf::anon_send(outputs_[i], PauseReading{});
  }
}

}  // namespace troupe
