#include "io/sockets/stream_state.h"

#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "io/resident.h"
#include "io/sockets/peer_credentials.h"
#include "io/sockets/socket_address.h"
#include "io/status_error.h"
#include "io/water_marks.h"

namespace troupe {

void StreamState::Init(IoHost* host, IoActor io, size_t window) {
  Serve(host, std::move(io));
  reading_.emplace(host->watches(), host->blocks(), host->blocking(), *this,
                   window, TellsOfCredit(caf::weak_actor_ptr(self_->ctrl())));
  writing_.emplace(host->watches(), host->blocking(), *this,
                   WriteSide::PeerWatch::kNone);
}

// -- the connection -----------------------------------------------------------

caf::result<Connected> StreamState::Connect(ConnectStream& request) {
  if (phase_ == Phase::kIdle) {
    after_eof_ = request.after_eof;
    descriptors_ = std::move(request.descriptors);
  }
  return Connection::Connect(request.fd, std::move(request.protocol),
                             std::move(request.owner));
}

caf::result<Connected> StreamState::Connect(ConnectUnix& request) {
  const bool first = phase_ == Phase::kIdle;
  auto answer = Begin(std::move(request.protocol), std::move(request.owner));
  if (!first || phase_ != Phase::kBegun) return answer;
  after_eof_ = request.after_eof;
  descriptors_ = std::move(request.descriptors);
  dialer_ = std::make_unique<UnixDialer>(std::move(request.address),
                                         request.type, request.timeout);
  Dial();
  return answer;
}

void StreamState::Dial() {
  auto connected = dialer_->Try();
  if (!connected.ok()) return Refuse(connected.status());
  if (*connected) {
    FdTicket fd(dialer_->TakeFd());
    dialer_.reset();
    return Continue(fd);
  }
  dial_timer_ = TimerId::Next();
  self_->send(io_,
              StartTimer{dial_timer_, dialer_->pause(), TimerObserver(self_)});
}

void StreamState::OnTimer(const TimerFired& fired) {
  if (phase_ == Phase::kBegun && fired.timer == dial_timer_) Dial();
}

absl::StatusOr<DescriptorKind> StreamState::CheckDescriptor(
    const FdTicket& fd) {
  auto kind = KindOf(fd.number());
  if (kind.ok() && *kind != DescriptorKind::kStreamSocket &&
      *kind != DescriptorKind::kMessageSocket) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a stream transport is for sockets, got fd ", fd.number()));
  }
  if (kind.ok() && descriptors_) {
    absl::Status usable = CheckDescriptorReceiver(fd.number());
    if (!usable.ok()) return usable;
    reading_->SetReader(this);
  }
  return kind;
}

// What was written before goes out now. A close before is remembered.
void StreamState::Opened() {
  if (!closing_) reading_->Open(watch_, fd_, kind_);
  if (phase_ == Phase::kOpen) writing_->Open(watch_, fd_, kind_);
  AnswerIfDrained();
}

ConnectionLost StreamState::LastWords(absl::Status why) {
  const absl::Status told =
      why.ok() ? absl::CancelledError("the transport was closed") : why;
  files_.EndAll(told);
  waiters_.Fail(told);
  if (reading_.has_value()) {  // else it never began
    reading_->Close();
    lost_ += writing_->Close();
  }
  return ConnectionLost{std::move(why), lost_, refused_};
}

void StreamState::OnReady(const FdReady& ready) {
  if (!(ready.watch == watch_)) return;
  if (ready.side == Side::kRead) {
    reading_->OnReady(ready.readiness);
  } else {
    writing_->OnReady(ready.readiness);
  }
}

void StreamState::OnDown(const caf::down_msg& down) {
  if (!LostProtocol(down)) return;
  SetReceiver(StreamProtocol());
  const ReadingInfo reading = reading_->Info();
  if (owner_) {
    self_->send(owner_, ObserverLost{reading.delivered, reading.unread});
  }
  CloseWhenWritten();
}

TransportInfo StreamState::Info() const {
  const bool closed = phase_ == Phase::kClosed;
  return {.kind = TransportInfo::Kind::kStream,
          .fd = fd_,
          .closing = closing_ || closed,
          .closed = closed,
          .reading = reading_->Info(),
          .writing = writing_->Info()};
}

caf::result<PeerInfo> StreamState::Peer() const {
  if (fd_ < 0) {
    return MakeError(absl::FailedPreconditionError("there is no peer yet"));
  }
  PeerInfo peer;
  peer.address = SocketAddress::OfPeer(fd_);
  peer.own_address = SocketAddress::Of(fd_);
  auto process = PeerCredentialsOf(fd_);
  if (process.ok()) {
    peer.process = PeerProcess{process->pid, process->uid, process->gid,
                               FdTicket(std::move(process->pidfd))};
  }
  return peer;
}

caf::result<TlsInfo> StreamState::Tls() const {
  return MakeError(absl::FailedPreconditionError("the connection has no TLS"));
}

// -- reading ------------------------------------------------------------------

bool StreamState::ReceiverGone() {
  return phase_ == Phase::kOpen && ReceiverEnded();
}

// After a write error the connection ends with reading; nobody would notice
// that if it stood still.
void StreamState::Pause() {
  const bool changes = !read_over_ && !reading_->paused();
  reading_->Pause();
  if (changes) Note(" pauses reading");
  if (!write_error_.ok()) End(write_error_);
}

void StreamState::Resume() {
  const bool changes = !read_over_ && reading_->paused();
  reading_->Resume();
  if (changes) Note(" resumes reading");
}

// What the protocol writes when it hears of the end is still written: its
// answer comes after that.
void StreamState::OnEof() {
  read_over_ = true;
  Note(" received EOF");
  if (!write_error_.ok()) {
    Tell(EofReceived{});
    return End(write_error_);
  }
  if (!protocol_) return EofHandled();
  self_->request(protocol_, caf::infinite, EofReceived{})
      .then([this] { EofHandled(); },
            [this](const caf::error&) { EofHandled(); });
}

void StreamState::EofHandled() {
  if (phase_ != Phase::kOpen) return;
  if (write_over_) return End(write_error_);
  if (after_eof_ == AfterEof::kClose) return CloseWhenWritten();
  writing_->WatchPeer();
}

void StreamState::OnReadError(absl::Status why) {
  End(write_error_.ok() ? std::move(why) : write_error_);
}

// -- writing ------------------------------------------------------------------

absl::Status StreamState::Refusal() {
  if (TakesWrites()) return absl::OkStatus();
  ++refused_;
  return absl::FailedPreconditionError(
      closing_ || phase_ == Phase::kClosed || !write_error_.ok()
          ? "socket.send() raised exception."
          : "Cannot call write() after write_eof()");
}

// The answer waits for the buffer; a plain message gets none.
caf::result<Drained> StreamState::Accept(Bytes bytes, Credit credit) {
  absl::Status refusal = Refusal();
  if (!refusal.ok()) return MakeError(refusal);
  caf::result<Drained> answer = waiters_.Add(self_);
  SendAtOnce(std::move(bytes), std::move(credit));
  AnswerIfDrained();
  return answer;
}

// A plain Write.
void StreamState::HandleDirectly(Write& write) {
  if (!TakesWrites()) return (void)Refusal();
  SendAtOnce(std::move(write.bytes), std::move(write.credit));
  AnswerIfDrained();
}

caf::result<Drained> StreamState::Accept(std::vector<Bytes> lines) {
  absl::Status refusal = Refusal();
  if (!refusal.ok()) return MakeError(refusal);
  caf::result<Drained> answer = waiters_.Add(self_);
  for (Bytes& line : lines) Send(std::move(line), Credit());
  writing_->Write();
  AnswerIfDrained();
  return answer;
}

void StreamState::AnswerIfDrained() {
  if (phase_ == Phase::kOpen && !writing_->paused()) {
    waiters_.Answer(writing_->buffered());
  }
}

void StreamState::OnResume() {
  Tell(ResumeWriting{});
  waiters_.Answer(writing_->buffered());
}

void StreamState::FinishWriting() {
  write_ended_ = true;
  if (writing_->finishing() || !SendEnd()) return;
  if (phase_ != Phase::kClosed) writing_->Finish();
}

void StreamState::GiveUpWriting() {
  write_over_ = true;
  writing_->Close();
  waiters_.Answer(0);
  if (closing_ || read_over_) End(absl::OkStatus());
}

void StreamState::WriteEof() {
  if (phase_ != Phase::kClosed) FinishWriting();
}

void StreamState::CloseWhenWritten() {
  if (closing_ || phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kBegun) return End(absl::OkStatus());
  closing_ = true;
  StopReading();
  if (write_over_) return End(write_error_);
  FinishWriting();
}

void StreamState::OnWritten() {
  write_over_ = true;
  waiters_.Answer(0);
  if (closing_ || read_over_) return End(absl::OkStatus());
  ShutDown();
}

void StreamState::ShutDown() { shutdown(fd_, SHUT_WR); }

void StreamState::OnWriteError(absl::Status why) {
  const bool peer_gone = SaysPeerIsGone(why);
  write_over_ = true;
  write_error_ = std::move(why);
  files_.EndAll(write_error_);
  lost_ += writing_->Close();
  waiters_.Fail(write_error_);
  if (closing_ || read_over_ || StandsStill() || !peer_gone) {
    End(write_error_);
  }
}

bool StreamState::SaysPeerIsGone(const absl::Status& why) {
  const auto failure = OsFailureOf(why);
  return failure && (failure->error_number == EPIPE ||
                     failure->error_number == ECONNRESET);
}

caf::result<TransportInfo> StreamState::SetLimits(
    const SetWriteBufferLimits& limits) {
  auto marks = WaterMarks::Create(limits.high, limits.low);
  if (!marks.ok()) return MakeError(marks.status());
  writing_->SetMarks(*marks);
  return Info();
}

}  // namespace troupe
