#include "io/sockets/stream_transport.h"

#include <sys/socket.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "io/answer_requests.h"
#include "io/connection.h"
#include "io/credit_returned.h"
#include "io/descriptor_kind.h"
#include "io/drain_waiters.h"
#include "io/read_side.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/water_marks.h"
#include "io/write_side.h"

namespace troupe {
namespace {

using Interface =
    StreamTransport::extend<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>,
                            caf::reacts_to<CreditReturned>>;

class State : public Connection<Interface, StreamProtocol>,
              public ReadSide::Receiver,
              public WriteSide::Owner {
 public:
  static constexpr const char* name = "stream-transport";

  explicit State(Self* self) : Connection(self, Sides::kBoth) {}
  ~State() override { Finish(absl::CancelledError("the transport was ended")); }

  void Init(IoHost* host, IoActor io, const StreamTransportOptions& options);
  caf::result<Connected> Connect(ConnectStream& request);

  caf::result<Drained> Accept(Bytes bytes, Credit credit);
  caf::result<Drained> Accept(std::vector<Bytes> lines);
  void WriteEof();
  void CloseWhenWritten();
  void Abort() { End(absl::OkStatus()); }
  void Pause();
  void Resume() { reading_->Resume(); }
  caf::result<TransportInfo> SetLimits(const SetWriteBufferLimits& limits);

  void OnReady(const FdReady& ready);
  void OnCredit() { reading_->OnCredit(); }
  void OnDown(const caf::down_msg& down);
  TransportInfo Info() const;

 private:
  using Base = Connection<Interface, StreamProtocol>;

  // Connection.
  absl::StatusOr<DescriptorKind> CheckDescriptor(const FdTicket& fd) override;
  void Opened() override;
  ConnectionLost LastWords(absl::Status why) override;

  // ReadSide::Receiver.
  bool ReceiverGone() override { return HasEnded(ProtocolPointer()); }
  void OnChunk(Bytes bytes, Credit credit) override {
    Tell(DataReceived{std::move(bytes), std::move(credit)});
  }
  void OnEof() override;
  void OnReadError(absl::Status why) override;

  // WriteSide::Owner.
  void OnPause() override { Tell(PauseWriting{}); }
  void OnResume() override;
  void OnWritten() override;
  void OnWriteError(absl::Status why) override;
  void OnPeerGone() override { End(absl::OkStatus()); }

  absl::Status Refusal();
  caf::result<Drained> Written();
  void AnswerIfDrained();
  void EofHandled();

  std::optional<ReadSide> reading_;
  std::optional<WriteSide> writing_;
  DrainWaiters waiters_;
  AfterEof after_eof_ = AfterEof::kClose;
  bool closing_ = false;  // by CloseTransport: flush, then end
  bool read_over_ = false;
  bool write_over_ = false;
  absl::Status write_error_;  // not OK: the end of reading is the end
  size_t lost_ = 0;
  size_t refused_ = 0;
};

void State::Init(IoHost* host, IoActor io,
                 const StreamTransportOptions& options) {
  Serve(host, std::move(io));
  reading_.emplace(host->watches(), host->blocks(), host->blocking(), *this,
                   options.window,
                   TellsOfCredit(caf::weak_actor_ptr(self_->ctrl())));
  writing_.emplace(host->watches(), host->blocking(), *this,
                   WriteSide::PeerWatch::kNone);
}

// -- the connection -----------------------------------------------------------

caf::result<Connected> State::Connect(ConnectStream& request) {
  after_eof_ = request.after_eof;
  return Base::Connect(request.fd, std::move(request.protocol),
                       std::move(request.owner));
}

absl::StatusOr<DescriptorKind> State::CheckDescriptor(const FdTicket& fd) {
  auto kind = KindOf(fd.number());
  if (kind.ok() && *kind != DescriptorKind::kStreamSocket &&
      *kind != DescriptorKind::kMessageSocket) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a stream transport is for sockets, got fd ", fd.number()));
  }
  return kind;
}

// What was written before goes out now. A close before is remembered.
void State::Opened() {
  if (!closing_) reading_->Open(watch_, fd_, kind_);
  if (phase_ == Phase::kOpen) writing_->Open(watch_, fd_, kind_);
  AnswerIfDrained();
}

ConnectionLost State::LastWords(absl::Status why) {
  waiters_.Fail(why.ok() ? absl::CancelledError("the transport was closed")
                         : why);
  if (reading_.has_value()) {  // else it never began
    reading_->Close();
    lost_ += writing_->Close();
  }
  return ConnectionLost{std::move(why), lost_, refused_};
}

void State::OnReady(const FdReady& ready) {
  if (!(ready.watch == watch_) || phase_ != Phase::kOpen) return;
  if (ready.side == Side::kRead) {
    reading_->OnReady(ready.readiness);
  } else {
    writing_->OnReady(ready.readiness);
  }
}

void State::OnDown(const caf::down_msg& down) {
  if (!LostProtocol(down)) return;
  protocol_ = StreamProtocol();
  const ReadingInfo reading = reading_->Info();
  if (owner_) {
    self_->send(owner_, ObserverLost{reading.delivered, reading.unread});
  }
  CloseWhenWritten();
}

TransportInfo State::Info() const {
  return {.fd = fd_,
          .closing = closing_ || phase_ == Phase::kClosed,
          .reading = reading_->Info(),
          .writing = writing_->Info()};
}

// -- reading ------------------------------------------------------------------

// After a write error the connection ends with reading; nobody would notice
// that if it stood still.
void State::Pause() {
  reading_->Pause();
  if (!write_error_.ok()) End(write_error_);
}

// What the protocol writes when it hears of the end is still written: its
// answer comes after that.
void State::OnEof() {
  read_over_ = true;
  if (!write_error_.ok()) {
    Tell(EofReceived{});
    return End(write_error_);
  }
  if (!protocol_) return EofHandled();
  self_->request(protocol_, caf::infinite, EofReceived{})
      .then([this] { EofHandled(); },
            [this](const caf::error&) { EofHandled(); });
}

void State::EofHandled() {
  if (phase_ != Phase::kOpen) return;
  if (write_over_) return End(write_error_);
  if (after_eof_ == AfterEof::kClose) return CloseWhenWritten();
  writing_->WatchPeer();
}

void State::OnReadError(absl::Status why) {
  End(write_error_.ok() ? std::move(why) : write_error_);
}

// -- writing ------------------------------------------------------------------

absl::Status State::Refusal() {
  if (phase_ != Phase::kClosed && !writing_->finishing() && !write_over_) {
    return absl::OkStatus();
  }
  ++refused_;
  return absl::FailedPreconditionError(
      closing_ || phase_ == Phase::kClosed || !write_error_.ok()
          ? "socket.send() raised exception."
          : "Cannot call write() after write_eof()");
}

caf::result<Drained> State::Accept(Bytes bytes, Credit credit) {
  absl::Status refusal = Refusal();
  if (!refusal.ok()) return MakeError(refusal);
  writing_->Add(std::move(bytes), std::move(credit));
  return Written();
}

caf::result<Drained> State::Accept(std::vector<Bytes> lines) {
  absl::Status refusal = Refusal();
  if (!refusal.ok()) return MakeError(refusal);
  for (Bytes& line : lines) writing_->Add(std::move(line), Credit());
  return Written();
}

// The answer waits for the buffer; a plain message gets none.
caf::result<Drained> State::Written() {
  auto promise = waiters_.Add(self_);
  writing_->Write();
  AnswerIfDrained();
  return promise;
}

void State::AnswerIfDrained() {
  if (phase_ == Phase::kOpen && !writing_->paused()) {
    waiters_.Answer(writing_->buffered());
  }
}

void State::OnResume() {
  Tell(ResumeWriting{});
  waiters_.Answer(writing_->buffered());
}

void State::WriteEof() {
  if (phase_ != Phase::kClosed) writing_->Finish();
}

void State::CloseWhenWritten() {
  if (closing_ || phase_ == Phase::kClosed) return;
  closing_ = true;
  reading_->Close();
  if (write_over_) return End(write_error_);
  writing_->Finish();
}

void State::OnWritten() {
  write_over_ = true;
  waiters_.Answer(0);
  if (closing_ || read_over_) return End(absl::OkStatus());
  shutdown(fd_, SHUT_WR);
}

void State::OnWriteError(absl::Status why) {
  write_over_ = true;
  write_error_ = std::move(why);
  lost_ += writing_->Close();
  waiters_.Fail(write_error_);
  if (closing_ || read_over_ || reading_->paused()) End(write_error_);
}

caf::result<TransportInfo> State::SetLimits(
    const SetWriteBufferLimits& limits) {
  auto marks = WaterMarks::Create(limits.high, limits.low);
  if (!marks.ok()) return MakeError(marks.status());
  writing_->SetMarks(*marks);
  return Info();
}

// -- the actor ----------------------------------------------------------------

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  IoHost* host, IoActor io,
                                  const StreamTransportOptions& options) {
  State* state = &self->state;
  state->Init(host, std::move(io), options);
  self->set_down_handler(
      [=](const caf::down_msg& down) { state->OnDown(down); });
  self->set_exit_handler([=](const caf::exit_msg& exit) {
    if (exit.reason) state->End(StatusOf(exit.reason), exit.reason);
  });
  auto asked = [=] { AnswerRequestsOnly(self); };
  return {
      [=](ConnectStream& request) {
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
      [=](const WriteEof&) { state->WriteEof(); },
      [=](const CloseTransport&) { state->CloseWhenWritten(); },
      [=](const AbortTransport&) { state->Abort(); },
      [=](const PauseReading&) { state->Pause(); },
      [=](const ResumeReading&) { state->Resume(); },
      [=](SetStreamProtocol& set) {
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
      [=](const CreditReturned&) { state->OnCredit(); },
  };
}

}  // namespace

StreamTransport SpawnStreamTransport(IoHost& host, const IoActor& io,
                                     StreamTransportOptions options) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, io, options);
}

}  // namespace troupe
