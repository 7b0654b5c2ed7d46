#include "io/write_transport.h"

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/typed_response_promise.hpp"
#include "io/answer_requests.h"
#include "io/os_error.h"
#include "io/pipe_connection.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/water_marks.h"
#include "io/write_queue.h"

namespace troupe {
namespace {

// Before the neighbours get their turn.
constexpr size_t kBytesPerDispatch = 1024 * 1024;
// What a pipe or a terminal that polls writable takes without blocking
// (PIPE_BUF, pipe(7)).
constexpr size_t kBytesPerBlockingWrite = 4096;

using Interface =
    WriteTransport::extend<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>>;

class State : public PipeConnection<Interface, WriteProtocol> {
 public:
  static constexpr const char* name = "write-transport";
  using WritePromise = caf::typed_response_promise<Drained>;

  explicit State(Self* self) : PipeConnection(self, Side::kWrite) {}
  ~State() override { Finish(absl::CancelledError("the transport was ended")); }

  caf::result<Drained> Accept(Bytes bytes, Credit credit);
  caf::result<Drained> Accept(std::vector<Bytes> lines);
  void OnReady(const FdReady& ready);
  void CloseWhenWritten();
  void Abort();
  caf::result<TransportInfo> SetLimits(const SetWriteBufferLimits& limits);
  void OnDown(const caf::down_msg& down);
  TransportInfo Info() const;

 private:
  void Opened() override;
  ConnectionLost LastWords(absl::Status why) override;
  void StartWriting();
  bool Refuses();
  caf::result<Drained> Written();
  void Flush();
  void Wait(Interest interest, bool still_ready);
  void UpdateFlow();
  void AnswerWaiters();

  WriteQueue queue_;
  WaterMarks marks_;
  std::vector<WritePromise> waiters_;  // for the buffer to drain
  size_t refused_ = 0;
  bool paused_ = false;
  bool closing_ = false;  // flush, then end
  bool blocked_ = false;  // waiting for room
};

// Writes that came before the connection was made go out now.
void State::Opened() {
  StartWriting();
  if (phase_ != Phase::kOpen) return;
  UpdateFlow();
  if (!paused_) AnswerWaiters();
}

// A descriptor that may block is written to only after poll said so.
void State::StartWriting() {
  if (phase_ != Phase::kOpen || blocked_) return;
  if (host_->blocking() && !queue_.empty()) {
    Wait(Interest::kWritable, false);
  } else {
    Flush();
  }
}

bool State::Refuses() {
  bool refuses = closing_ || phase_ == Phase::kClosed;
  if (refuses) ++refused_;
  return refuses;
}

caf::result<Drained> State::Accept(Bytes bytes, Credit credit) {
  if (Refuses()) {
    return MakeError(absl::FailedPreconditionError(
        "pipe closed by peer or os.write(pipe, data) raised exception."));
  }
  queue_.Push(std::move(bytes), std::move(credit));
  return Written();
}

caf::result<Drained> State::Accept(std::vector<Bytes> lines) {
  if (Refuses()) {
    return MakeError(absl::FailedPreconditionError(
        "pipe closed by peer or os.write(pipe, data) raised exception."));
  }
  for (Bytes& line : lines) queue_.Push(std::move(line), Credit());
  return Written();
}

// What was just queued goes out now unless older bytes wait for room (W7). The
// answer waits for the buffer; a plain message gets none.
caf::result<Drained> State::Written() {
  bool asked = self_->current_mailbox_element()->mid.is_request();
  WritePromise promise = self_->make_response_promise<Drained>();
  if (asked) waiters_.push_back(promise);
  StartWriting();
  if (phase_ != Phase::kOpen) return promise;  // answered, or not yet
  UpdateFlow();
  if (!paused_) AnswerWaiters();
  return promise;
}

void State::Flush() {
  size_t most = !host_->blocking() || kind_ == DescriptorKind::kRegularFile
                    ? kBytesPerDispatch
                    : kBytesPerBlockingWrite;
  WriteQueue::FlushResult result = queue_.Flush(fd_, kind_, most);
  switch (result.state) {
    case WriteQueue::State::kDrained:
      if (closing_) {
        UpdateFlow();
        AnswerWaiters();
        End(absl::OkStatus());
      } else {
        Wait(Interest::kPeerGone, false);
      }
      break;
    case WriteQueue::State::kBlocked:
      Wait(Interest::kWritable, false);
      break;
    case WriteQueue::State::kMore:
      Wait(Interest::kWritable, !host_->blocking());
      break;
    case WriteQueue::State::kFailed:
      End(OsError(result.error_number, "write", absl::StrCat("fd ", fd_)));
      break;
  }
}

void State::Wait(Interest interest, bool still_ready) {
  blocked_ = interest == Interest::kWritable;
  host_->watches().Arm(watch_, Side::kWrite, interest, still_ready);
}

void State::OnReady(const FdReady& ready) {
  if (!(ready.watch == watch_) || phase_ != Phase::kOpen) return;
  blocked_ = false;
  bool peer_gone = ready.readiness.HungUp() || ready.readiness.Error();
  if (!queue_.empty()) {
    // A reader that is gone makes this write fail with EPIPE.
    Flush();
    if (phase_ == Phase::kOpen) UpdateFlow();
  } else if (peer_gone && kind_ != DescriptorKind::kCharacterDevice) {
    End(absl::OkStatus());
  }
}

// Checked after every write (W19, "do instead").
void State::UpdateFlow() {
  switch (marks_.Next(paused_, queue_.size())) {
    case WaterMarks::Change::kNone:
      return;
    case WaterMarks::Change::kPause:
      paused_ = true;
      Tell(PauseWriting{});
      return;
    case WaterMarks::Change::kResume:
      paused_ = false;
      Tell(ResumeWriting{});
      AnswerWaiters();
      return;
  }
}

void State::AnswerWaiters() {
  for (WritePromise& waiter : std::exchange(waiters_, {})) {
    waiter.deliver(Drained{queue_.size()});
  }
}

void State::CloseWhenWritten() {
  if (closing_ || phase_ == Phase::kClosed) return;
  closing_ = true;
  // Before the connection is made it only remembers.
  if (queue_.empty() && phase_ == Phase::kOpen) End(absl::OkStatus());
}

void State::Abort() { End(absl::OkStatus()); }

// A new high mark may pause at once; raised marks do not resume (W18, W20).
caf::result<TransportInfo> State::SetLimits(
    const SetWriteBufferLimits& limits) {
  auto marks = WaterMarks::Create(limits.high, limits.low);
  if (!marks.ok()) return MakeError(marks.status());
  marks_ = *marks;
  if (phase_ == Phase::kOpen && !paused_) UpdateFlow();
  return Info();
}

void State::OnDown(const caf::down_msg& down) {
  if (!LostProtocol(down)) return;
  protocol_ = WriteProtocol();
  if (owner_) self_->send(owner_, ObserverLost{});
  CloseWhenWritten();
}

TransportInfo State::Info() const {
  TransportInfo info;
  info.fd = fd_;
  info.closing = closing_ || phase_ == Phase::kClosed;
  info.paused = paused_;
  info.buffered = queue_.size();
  info.high = marks_.high();
  info.low = marks_.low();
  return info;
}

// No ResumeWriting on a loss (W23): the waiters are told by the error.
ConnectionLost State::LastWords(absl::Status why) {
  absl::Status reason =
      why.ok() ? absl::CancelledError("the transport was closed") : why;
  for (WritePromise& waiter : std::exchange(waiters_, {})) {
    waiter.deliver(MakeError(reason));
  }
  return ConnectionLost{std::move(why), queue_.Clear(), refused_};
}

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  IoHost* host, IoActor io) {
  State* state = &self->state;
  state->Serve(host, std::move(io));
  self->set_down_handler(
      [=](const caf::down_msg& down) { state->OnDown(down); });
  self->set_exit_handler([=](const caf::exit_msg& exit) {
    if (exit.reason) state->End(StatusOf(exit.reason), exit.reason);
  });
  auto asked = [=] { AnswerRequestsOnly(self); };
  return {
      [=](ConnectWritePipe& request) {
        asked();
        return state->Connect(request);
      },
      [=](Write& write) {
        asked();
        return state->Accept(std::move(write.bytes), std::move(write.credit));
      },
      [=](WriteLines& write) {
        asked();
        return state->Accept(std::move(write.lines));
      },
      [=](const WriteEof&) { state->CloseWhenWritten(); },
      [=](const CloseTransport&) { state->CloseWhenWritten(); },
      [=](const AbortTransport&) { state->Abort(); },
      [=](SetWriteProtocol& set) {
        asked();
        return state->SetProtocol(std::move(set.protocol));
      },
      [=](const SetWriteBufferLimits& limits) {
        asked();
        return state->SetLimits(limits);
      },
      [=](const GetTransportInfo&) { return state->Info(); },
      [=](const FdReady& ready) { state->OnReady(ready); },
      [=](const WatchEnded& ended) { state->End(ended.why); },
  };
}

}  // namespace

WriteTransport SpawnWriteTransport(IoHost& host, const IoActor& io) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, io);
}

}  // namespace troupe
