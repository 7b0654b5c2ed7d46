#include "io/write_transport.h"

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/typed_response_promise.hpp"
#include "io/os_error.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/transport_setup.h"
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

enum class Phase {
  kIdle,        // no descriptor yet
  kWatching,    // WatchFd is on its way
  kIntroduced,  // ConnectionMade is on its way
  kOpen,
  kClosed,
};

class State {
 public:
  static constexpr const char* name = "write-transport";
  using Self = Interface::stateful_base<State>;
  using WritePromise = caf::typed_response_promise<Drained>;

  explicit State(Self* self) : self_(self) {}
  ~State() { Finish(absl::CancelledError("the transport was ended")); }

  void Init(IoHost* host, IoActor io) {
    host_ = host;
    io_ = std::move(io);
  }
  caf::result<Connected> Connect(ConnectWritePipe& request);
  caf::result<Drained> Accept(Bytes bytes, Credit credit);
  caf::result<Drained> Accept(std::vector<Bytes> lines);
  void OnReady(const FdReady& ready);
  void CloseWhenWritten();
  void Abort();
  void SetProtocol(WriteProtocol protocol);
  caf::result<TransportInfo> SetLimits(const SetWriteBufferLimits& limits);
  void OnDown(const caf::down_msg& down);
  TransportInfo Info() const;

  // Tells the protocol, gives the descriptor up and ends the actor.
  void End(absl::Status why, caf::error reason = {});

 private:
  using Promise = caf::typed_response_promise<Connected>;

  void Introduce(Promise promise, const WatchStarted& started);
  void Opened();
  void StartWriting();
  bool Refuses();
  caf::result<Drained> Written();
  void Flush();
  void Wait(Interest interest, bool still_ready);
  void UpdateFlow();
  void FailWaiters(const absl::Status& why);
  bool Finish(absl::Status why);
  template <class T>
  void Tell(T message) {
    if (!protocol_) return;
    caf::actor_cast<caf::strong_actor_ptr>(protocol_)->enqueue(
        Self_(), caf::make_message_id(), caf::make_message(std::move(message)),
        host_);
  }
  caf::strong_actor_ptr Self_() const {
    return caf::strong_actor_ptr(self_->ctrl());
  }

  Self* self_;
  IoHost* host_ = nullptr;
  IoActor io_;
  Phase phase_ = Phase::kIdle;
  WatchId watch_;
  int fd_ = -1;
  DescriptorKind kind_ = DescriptorKind::kOther;
  WriteProtocol protocol_;
  TransportOwner owner_;
  WriteQueue queue_;
  WaterMarks marks_;
  std::vector<WritePromise> waiters_;  // for the buffer to drain
  size_t bytes_lost_ = 0;
  size_t refused_ = 0;
  bool paused_ = false;
  bool closing_ = false;  // flush, then end
  bool blocked_ = false;  // waiting for room
};

caf::result<Connected> State::Connect(ConnectWritePipe& request) {
  if (phase_ != Phase::kIdle) {
    return MakeError(
        absl::FailedPreconditionError("the transport is connected already"));
  }
  protocol_ = std::move(request.protocol);
  owner_ = std::move(request.owner);
  absl::Status local =
      protocol_ ? CheckLocal(caf::actor_cast<caf::strong_actor_ptr>(protocol_),
                             self_->node())
                : absl::OkStatus();
  auto kind = PrepareDescriptor(
      request.fd, host_->blocking(),
      "Pipe transport is only for pipes, sockets and character devices");
  if (local.ok() && kind.ok()) {
    kind_ = *kind;
    phase_ = Phase::kWatching;
    Promise promise = self_->make_response_promise<Connected>();
    WatchFd watch{std::move(request.fd), -1, {}, FdObserver(self_)};
    self_->request(io_, caf::infinite, std::move(watch))
        .then([=, this](
                  const WatchStarted& started) { Introduce(promise, started); },
              [=, this](const caf::error& why) mutable {
                promise.deliver(why);
                phase_ = Phase::kClosed;
                FailWaiters(StatusOf(why));
                self_->quit(why);
              });
    return promise;
  }
  caf::error why = MakeError(local.ok() ? kind.status() : local);
  phase_ = Phase::kClosed;
  self_->quit(why);
  return why;
}

void State::Introduce(Promise promise, const WatchStarted& started) {
  watch_ = started.watch;
  fd_ = started.fd;
  if (phase_ != Phase::kWatching) {  // ended meanwhile
    self_->send(io_, EndWatch{watch_});
    promise.deliver(MakeError(absl::CancelledError("the transport is closed")));
    self_->quit();
    return;
  }
  phase_ = Phase::kIntroduced;
  if (!protocol_) {
    promise.deliver(Connected{});
    Opened();
    return;
  }
  self_->monitor(protocol_);
  self_->request(protocol_, caf::infinite, ConnectionMade{})
      .then(
          [=, this]() mutable {
            promise.deliver(Connected{});
            Opened();
          },
          [=, this](const caf::error& why) mutable {
            promise.deliver(why);
            Opened();
          });
}

// Writes that came before the connection was made go out now.
void State::Opened() {
  if (phase_ != Phase::kIntroduced) return;
  phase_ = Phase::kOpen;
  StartWriting();
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
  StartWriting();
  if (phase_ == Phase::kClosed) {
    if (asked) {
      promise.deliver(MakeError(OsError(EPIPE, "write")));
    }
  } else {
    UpdateFlow();
    if (asked && paused_) {
      waiters_.push_back(promise);
    } else if (asked) {
      promise.deliver(Drained{queue_.size()});
    }
  }
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
      for (WritePromise& waiter : std::exchange(waiters_, {})) {
        waiter.deliver(Drained{queue_.size()});
      }
      return;
  }
}

void State::CloseWhenWritten() {
  if (closing_ || phase_ == Phase::kClosed) return;
  closing_ = true;
  // Before the connection is made it only remembers.
  if (queue_.empty() && phase_ == Phase::kOpen) End(absl::OkStatus());
}

void State::Abort() { End(absl::OkStatus()); }

void State::SetProtocol(WriteProtocol protocol) {
  if (phase_ == Phase::kClosed || !protocol) return;
  if (phase_ == Phase::kIntroduced || phase_ == Phase::kOpen) {
    if (protocol_) self_->demonitor(protocol_.address());
    self_->monitor(protocol);
  }
  protocol_ = std::move(protocol);
}

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
  if (phase_ == Phase::kClosed || down.source != protocol_.address()) return;
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
void State::FailWaiters(const absl::Status& why) {
  absl::Status reason =
      why.ok() ? absl::CancelledError("the transport was closed") : why;
  for (WritePromise& waiter : std::exchange(waiters_, {})) {
    waiter.deliver(MakeError(reason));
  }
}

// Tells the protocol and gives the descriptor up; false if that was done.
bool State::Finish(absl::Status why) {
  Phase phase = std::exchange(phase_, Phase::kClosed);
  if (phase == Phase::kClosed) return false;
  bytes_lost_ += queue_.Clear();
  FailWaiters(why);
  // A watch that is on its way is ended when it comes.
  if (phase == Phase::kIdle || phase == Phase::kWatching) return false;
  Tell(ConnectionLost{std::move(why), bytes_lost_, refused_});
  caf::actor_cast<caf::strong_actor_ptr>(io_)->enqueue(
      Self_(), caf::make_message_id(), caf::make_message(EndWatch{watch_}),
      host_);
  return true;
}

void State::End(absl::Status why, caf::error reason) {
  Phase before = phase_;
  if (Finish(std::move(why)) || before == Phase::kIdle) {
    self_->quit(std::move(reason));
  }
}

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  IoHost* host, IoActor io) {
  State* state = &self->state;
  state->Init(host, std::move(io));
  self->set_down_handler(
      [=](const caf::down_msg& down) { state->OnDown(down); });
  self->set_exit_handler([=](const caf::exit_msg& exit) {
    if (exit.reason) state->End(StatusOf(exit.reason), exit.reason);
  });
  return {
      [=](ConnectWritePipe& request) { return state->Connect(request); },
      [=](Write& write) {
        return state->Accept(std::move(write.bytes), std::move(write.credit));
      },
      [=](WriteLines& write) { return state->Accept(std::move(write.lines)); },
      [=](const WriteEof&) { state->CloseWhenWritten(); },
      [=](const CloseTransport&) { state->CloseWhenWritten(); },
      [=](const AbortTransport&) { state->Abort(); },
      [=](SetWriteProtocol& set) { state->SetProtocol(set.protocol); },
      [=](const SetWriteBufferLimits& limits) {
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
