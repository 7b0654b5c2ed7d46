#include "process/child_streams.h"

#include "caf/actor_cast.hpp"
#include "caf/send.hpp"
#include "io/read_transport.h"
#include "io/write_transport.h"

namespace troupe {

void ChildStreams::Prepare(IoHost& host, const IoActor& io,
                           const Command& command, size_t window) {
  if (command.stdin_from.kind == Stdio::Kind::kPipe) {
    stdin_ = SpawnWriteTransport(host, io);
    open_[0] = true;
  }
  const Stdio* outputs[] = {&command.stdout_to, &command.stderr_to};
  for (int i = 0; i < 2; ++i) {
    if (outputs[i]->kind != Stdio::Kind::kPipe) continue;
    outputs_[i] = SpawnReadTransport(host, io, {.window = window});
    open_[i + 1] = true;
  }
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
  return was_open;
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
