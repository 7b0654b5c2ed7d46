#include "io/sockets/datagram_transport.h"

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "caf/typed_event_based_actor.hpp"
#include "caf/typed_response_promise.hpp"
#include "io/answer_requests.h"
#include "io/block_pool.h"
#include "io/connection.h"
#include "io/credit.h"
#include "io/credit_returned.h"
#include "io/descriptor_kind.h"
#include "io/fd_ticket.h"
#include "io/hear_of_ends.h"
#include "io/os_error.h"
#include "io/read_buffer.h"
#include "io/resident.h"
#include "io/sockets/backoff.h"
#include "io/sockets/datagram_queue.h"
#include "io/sockets/socket_type.h"
#include "io/status_error.h"
#include "io/timer_id.h"
#include "io/transfer.h"
#include "io/water_marks.h"

namespace troupe {
namespace {

// Before the neighbours get their turn.
constexpr int kReadsPerDispatch = 16;

using Interface = DatagramTransport::extend<
    caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>,
    caf::reacts_to<CreditReturned>, caf::reacts_to<TimerFired>>;

class State : public Connection<Interface, DatagramProtocol> {
 public:
  static constexpr const char* name = "datagram-transport";

  explicit State(Self* self) : Connection(self, Sides::kRead) {}
  ~State() override { Forgotten(); }

  void Init(IoHost* host, IoActor io, std::shared_ptr<BoundSocket> socket,
            const DatagramTransportOptions& options);
  caf::result<Connected> Open(OpenDatagram& request);
  caf::result<Drained> Send(SendDatagram& send);
  void OnReady(const FdReady& ready);
  void OnTimer(const TimerFired& fired);
  void OnDown(const caf::down_msg& down);
  void Pause() { paused_ = true; }
  void Resume();
  void Arm();
  void CloseWhenSent();
  void Abort() { End(absl::OkStatus()); }
  TransportInfo Info() const override;

 private:
  // Connection.
  absl::StatusOr<DescriptorKind> CheckDescriptor(const FdTicket& fd) override;
  void Opened() override;
  ConnectionLost LastWords(absl::Status why) override;

  bool Reads() const { return phase_ == Phase::kOpen && !closing_ && !paused_; }
  void ReceiveOne();
  void Reject(const DatagramQueue::Datagram& datagram, const absl::Status& why);
  void Queue(DatagramQueue::Datagram datagram);
  void AfterSending();

  std::shared_ptr<BoundSocket> socket_;
  DatagramTransportOptions options_;

  std::shared_ptr<CreditAccount> account_;
  std::optional<ReadBuffer> buffer_;
  size_t delivered_ = 0;
  bool paused_ = false;
  bool armed_ = false;     // one FdReady is outstanding
  bool readable_ = false;  // stopped before the socket was drained

  DatagramQueue queue_;
  WaterMarks marks_;
  Backoff backoff_;
  TimerId timer_;
  bool timer_runs_ = false;
  bool writing_paused_ = false;
  bool closing_ = false;
  size_t refused_ = 0;
};

void State::Init(IoHost* host, IoActor io, std::shared_ptr<BoundSocket> socket,
                 const DatagramTransportOptions& options) {
  Serve(host, std::move(io));
  socket_ = std::move(socket);
  options_ = options;
  account_ = std::make_shared<CreditAccount>(
      options.window, TellsOfCredit(caf::weak_actor_ptr(self_->ctrl())));
  buffer_.emplace(host->blocks(), account_);
}

// -- the socket ---------------------------------------------------------------

caf::result<Connected> State::Open(OpenDatagram& request) {
  return Connect(FdTicket(std::move(socket_->fd)), std::move(request.protocol),
                 std::move(request.owner));
}

absl::StatusOr<DescriptorKind> State::CheckDescriptor(const FdTicket& fd) {
  absl::Status usable = CheckUnixSocket(fd.number(), SocketType::kDatagram);
  if (!usable.ok()) return usable;
  return DescriptorKind::kMessageSocket;
}

// What was sent before goes out now.
void State::Opened() {
  queue_.Open(fd_);
  queue_.Flush();
  AfterSending();
  Arm();
}

// The file goes before the socket is closed (socket_file.h).
ConnectionLost State::LastWords(absl::Status why) {
  if (account_ == nullptr) return {};  // it never began
  account_->Close();
  const size_t lost = queue_.Clear(
      why.ok() ? absl::CancelledError("the transport was closed") : why);
  socket_->file.Remove().IgnoreError();
  return ConnectionLost{std::move(why), lost, refused_};
}

void State::OnDown(const caf::down_msg& down) {
  if (!LostProtocol(down)) return;
  SetReceiver(DatagramProtocol());
  if (owner_) self_->send(owner_, ObserverLost{delivered_, 0});
  CloseWhenSent();
}

TransportInfo State::Info() const {
  const bool closed = phase_ == Phase::kClosed;
  TransportInfo info;
  info.kind = TransportInfo::Kind::kDatagram;
  info.fd = fd_;
  info.closing = closing_ || closed;
  info.closed = closed;
  info.reading.polling = Reads() && armed_;
  info.reading.paused = paused_;
  info.reading.in_flight = account_->in_flight();
  info.reading.delivered = delivered_;
  info.writing.polling = timer_runs_;
  info.writing.paused = writing_paused_;
  info.writing.buffered = queue_.bytes();
  info.writing.high = marks_.high();
  info.writing.low = marks_.low();
  return info;
}

// -- receiving ----------------------------------------------------------------

void State::Resume() {
  paused_ = false;
  Arm();
}

void State::Arm() {
  if (!Reads() || armed_) return;
  if (!account_->MayCharge() && account_->Park()) return;
  armed_ = true;
  host_->watches().Arm(watch_, Side::kRead, Interest::kReadable,
                       std::exchange(readable_, false));
}

void State::OnReady(const FdReady& ready) {
  if (!(ready.watch == watch_)) return;
  armed_ = false;
  readable_ = true;
  for (int i = 0; i < kReadsPerDispatch && readable_; ++i) {
    if (!Reads() || !account_->MayCharge()) break;
    if (ReceiverEnded()) return;  // its down message follows
    ReceiveOne();
  }
  Arm();
}

// As a whole, so its size is asked first.
void State::ReceiveOne() {
  const TransferResult next = PeekMessage(fd_);
  DatagramReceived got;
  std::string large(next.size > Block::kSize ? next.size : 0, '\0');
  TransferResult read = next;
  if (next.ok()) {
    absl::Span<char> room =
        large.empty() ? buffer_->Room(next.size) : absl::MakeSpan(large);
    read = ReceiveDatagram(fd_, room, got.from);
  }
  if (read.would_block) {
    buffer_->GiveBack();
    readable_ = false;
  } else if (!read.ok()) {
    Tell(DatagramFailed{
        {}, OsError(read.error_number, "recvfrom", absl::StrCat("fd ", fd_))});
  } else {
    std::tie(got.bytes, got.credit) =
        large.empty() ? buffer_->Commit(read.size)
                      : buffer_->Charged(Bytes(std::move(large)));
    delivered_ += got.bytes.size();
    Tell(std::move(got));
  }
}

// -- sending ------------------------------------------------------------------

caf::result<Drained> State::Send(SendDatagram& send) {
  caf::result<Drained> answer = caf::delegated<Drained>();  // none
  DatagramQueue::Datagram datagram{std::move(send.bytes), send.to,
                                   std::move(send.credit), nullptr};
  if (self_->current_mailbox_element()->mid.is_request()) {
    auto promise = self_->make_response_promise<Drained>();
    answer = promise;
    datagram.done = [this, promise](const absl::Status& sent,
                                    const SocketAddress&) mutable {
      if (sent.ok()) {
        promise.deliver(Drained{queue_.bytes()});
      } else {
        promise.deliver(MakeError(sent));
      }
    };
  } else {
    // Before and after it is open there is only ConnectionLost, which counts.
    datagram.done = [this](const absl::Status& sent, const SocketAddress& to) {
      if (!sent.ok() && phase_ == Phase::kOpen && !closing_) {
        Tell(DatagramFailed{to, sent});
      }
    };
  }
  if (closing_ || phase_ == Phase::kClosed) {
    Reject(datagram, absl::FailedPreconditionError("the transport is closing"));
  } else if (!queue_.Send(datagram)) {
    Queue(std::move(datagram));
  }
  AfterSending();
  return answer;
}

void State::Reject(const DatagramQueue::Datagram& datagram,
                   const absl::Status& why) {
  ++refused_;
  datagram.done(why, datagram.to);
}

// One may always wait.
void State::Queue(DatagramQueue::Datagram datagram) {
  const size_t more = datagram.bytes.size() + DatagramQueue::kCost;
  if (queue_.empty() || queue_.cost() + more <= options_.most_waiting) {
    return queue_.Wait(std::move(datagram));
  }
  Reject(datagram, absl::ResourceExhaustedError(absl::StrCat(
                       "sendto \"", datagram.to.ToString(), "\": ",
                       queue_.bytes(), " bytes wait for their receivers")));
}

void State::AfterSending() {
  if (phase_ != Phase::kOpen) return;
  switch (marks_.Next(writing_paused_, queue_.bytes())) {
    case WaterMarks::Change::kNone:
      break;
    case WaterMarks::Change::kPause:
      writing_paused_ = true;
      Tell(PauseWriting{});
      break;
    case WaterMarks::Change::kResume:
      writing_paused_ = false;
      Tell(ResumeWriting{});
      break;
  }
  if (queue_.empty()) {
    backoff_.Reset();
    if (closing_) End(absl::OkStatus());
    return;
  }
  if (timer_runs_) return;
  timer_runs_ = true;
  timer_ = TimerId::Next();
  self_->send(io_, StartTimer{timer_, backoff_.Next(), TimerObserver(self_)});
}

void State::OnTimer(const TimerFired& fired) {
  if (phase_ != Phase::kOpen || !(fired.timer == timer_)) return;
  timer_runs_ = false;
  const size_t before = queue_.cost();
  queue_.Flush();
  if (queue_.cost() != before) backoff_.Reset();
  AfterSending();
}

void State::CloseWhenSent() {
  if (closing_ || phase_ == Phase::kClosed) return;
  closing_ = true;
  account_->Close();
  if (queue_.empty()) End(absl::OkStatus());
}

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  IoHost* host, IoActor io,
                                  std::shared_ptr<BoundSocket> socket,
                                  const DatagramTransportOptions& options) {
  State* state = &self->state;
  state->Init(host, std::move(io), std::move(socket), options);
  HearOfEnds(self, state);
  auto asked = [=] { AnswerRequestsOnly(self); };
  return {
      // CAF looks for a message's handler from the first one on.
      [=](const FdReady& ready) { state->OnReady(ready); },
      [=](SendDatagram& send) { return state->Send(send); },
      [=](const CreditReturned&) { state->Arm(); },
      [=](const TimerFired& fired) { state->OnTimer(fired); },
      [=](OpenDatagram& request) {
        asked();
        return state->Open(request);
      },
      [=](const PauseReading&) { state->Pause(); },
      [=](const ResumeReading&) { state->Resume(); },
      [=](const CloseTransport&) { state->CloseWhenSent(); },
      [=](const AbortTransport&) { state->Abort(); },
      [=](const GetTransportInfo&) { return state->Info(); },
      [=](const WatchEnded& ended) { state->End(ended.why); },
  };
}

}  // namespace

DatagramTransport SpawnDatagramTransport(IoHost& host, const IoActor& io,
                                         BoundSocket socket,
                                         DatagramTransportOptions options) {
  return SpawnResident<caf::hidden>(
      host, Behavior, &host, io,
      std::make_shared<BoundSocket>(std::move(socket)), options);
}

}  // namespace troupe
