#include <utility>

#include "io/status_error.h"
#include "process/pty.h"
#include "process/silence_watch.h"
#include "process/subprocess_state.h"

namespace troupe {

caf::result<Drained> SubprocessState::WriteStdin(Write& write) {
  if (!streams_.in()) {
    return MakeError(absl::FailedPreconditionError("stdin is not a pipe"));
  }
  return self_->delegate(streams_.in(), std::move(write));
}

void SubprocessState::CloseStdin() {
  if (streams_.in()) self_->send(streams_.in(), WriteEof{});
}

caf::result<void> SubprocessState::Resize(const ResizePty& resize) {
  if (!terminal_.valid()) {
    return MakeError(absl::NotFoundError("the process has no terminal"));
  }
  absl::Status resized =
      ResizeTerminal(terminal_.get(), resize.rows, resize.columns);
  if (!resized.ok()) return MakeError(resized);
  return caf::unit;
}

void SubprocessState::OnOutput(DataReceived& data) {
  auto stream = streams_.StreamOf(self_->current_sender());
  if (!stream.has_value()) return;
  Tell(ProcessOutput{*stream, std::move(data.bytes), std::move(data.credit),
                     absl::FromChrono(Now() - started_at_)});
}

void SubprocessState::OnStreamLost(const ConnectionLost& lost) {
  auto stream = streams_.StreamOf(self_->current_sender());
  if (stream.has_value()) CloseStream(*stream, lost.why, lost.bytes_lost);
}

// A transport that was closed before it was connected says so here; one that
// was connected said it in ConnectionLost.
void SubprocessState::StreamFailed(ProcessStream stream,
                                   const caf::error& why) {
  CloseStream(stream, streams_given_up_ ? absl::OkStatus() : StatusOf(why));
}

void SubprocessState::CloseStreams(std::optional<ProcessStream> only) {
  if (only.has_value()) return streams_.Close(*only);
  streams_given_up_ = phase_ != Phase::kIdle;
  streams_.CloseAll();
}

void SubprocessState::CloseWhenSilent(absl::Duration silence) {
  if (ended_ || phase_ == Phase::kIdle) return;
  WatchedStreams streams{streams_.in(), {}, silence};
  for (const ReadTransport& output : {streams_.out(), streams_.err()}) {
    if (output) streams.outputs.push_back(output);
  }
  silence_watch_ =
      SpawnSilenceWatch(*services_.host, services_.io, std::move(streams));
}

void SubprocessState::CloseStream(ProcessStream stream, absl::Status why,
                                  size_t bytes_lost) {
  if (!streams_.MarkClosed(stream)) return;
  if (!streams_.PtyOpen()) terminal_.Close();
  Tell(StreamClosed{stream, std::move(why), bytes_lost});
  MaybeEnd();
}

}  // namespace troupe
