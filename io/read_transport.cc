#include "io/read_transport.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "io/answer_requests.h"
#include "io/connection.h"
#include "io/credit_returned.h"
#include "io/descriptor_kind.h"
#include "io/fd_ticket.h"
#include "io/hear_of_ends.h"
#include "io/read_side.h"
#include "io/resident.h"

namespace troupe {
namespace {

using Interface =
    ReadTransport::extend<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>,
                          caf::reacts_to<CreditReturned>>;

class State : public Connection<Interface, ReadProtocol>,
              public ReadSide::Receiver {
 public:
  static constexpr const char* name = "read-transport";

  explicit State(Self* self) : Connection(self, Sides::kRead) {}
  ~State() override { Forgotten(); }

  void Init(IoHost* host, IoActor io, const ReadTransportOptions& options);
  void OnReady(const FdReady& ready);
  void Pause();
  void Resume();
  void OnCredit() { reading_->OnCredit(); }
  void OnDown(const caf::down_msg& down);
  TransportInfo Info() const override;

 private:
  absl::StatusOr<DescriptorKind> CheckDescriptor(const FdTicket& fd) override;
  // Reading begins when the protocol has handled ConnectionMade: what it asked
  // for there came before its answer (row R11).
  void Opened() override { reading_->Open(watch_, fd_, kind_); }
  ConnectionLost LastWords(absl::Status why) override;

  bool ReceiverGone() override { return ReceiverEnded(); }
  void OnChunk(Bytes bytes, Credit credit) override {
    TellNow(DataReceived{std::move(bytes), std::move(credit)});
  }
  void OnEof() override {
    Note(" was closed by peer");
    Tell(EofReceived{});
    End(absl::OkStatus());
  }
  void OnReadError(absl::Status why) override { End(std::move(why)); }

  std::optional<ReadSide> reading_;
  bool needs_edges_ = false;
};

void State::Init(IoHost* host, IoActor io,
                 const ReadTransportOptions& options) {
  Serve(host, std::move(io));
  needs_edges_ = options.outlast_writers;
  reading_.emplace(host->watches(), host->blocks(), host->blocking(), *this,
                   options.window,
                   TellsOfCredit(caf::weak_actor_ptr(self_->ctrl())));
  reading_->SetEnds({options.outlast_writers, options.hang_up_is_end});
}

absl::StatusOr<DescriptorKind> State::CheckDescriptor(const FdTicket& fd) {
  if (needs_edges_ && host_->blocking()) {
    return absl::InvalidArgumentError(
        absl::StrCat("fd ", fd.number(),
                     ": its writers cannot be outlasted on a thread "
                     "that may block"));
  }
  return Connection::CheckDescriptor(fd);
}

void State::OnReady(const FdReady& ready) {
  if (ready.watch == watch_) reading_->OnReady(ready.readiness);
}

void State::Pause() {
  const bool changes = phase_ != Phase::kClosed && !reading_->paused();
  reading_->Pause();
  if (changes) Note(" pauses reading");
}

void State::Resume() {
  const bool changes = phase_ != Phase::kClosed && reading_->paused();
  reading_->Resume();
  if (changes) Note(" resumes reading");
}

void State::OnDown(const caf::down_msg& down) {
  if (!LostProtocol(down)) return;
  const ReadingInfo reading = reading_->Info();
  if (owner_) {
    self_->send(owner_, ObserverLost{reading.delivered, reading.unread});
  }
  End(absl::CancelledError("the protocol ended"));
}

TransportInfo State::Info() const {
  const bool closed = phase_ == Phase::kClosed;
  return {.kind = TransportInfo::Kind::kRead,
          .fd = fd_,
          .closing = closed,
          .closed = closed,
          .reading = reading_->Info(),
          .writing = {}};
}

ConnectionLost State::LastWords(absl::Status why) {
  if (reading_.has_value()) reading_->Close();  // else it never began
  ConnectionLost last;
  last.why = std::move(why);
  return last;
}

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  IoHost* host, IoActor io,
                                  const ReadTransportOptions& options) {
  State* state = &self->state;
  state->Init(host, std::move(io), options);
  HearOfEnds(self, state);
  auto asked = [=] { AnswerRequestsOnly(self); };
  return {
      // CAF looks for a message's handler from the first one on.
      [=](const FdReady& ready) { state->OnReady(ready); },
      [=](const CreditReturned&) { state->OnCredit(); },
      [=](ConnectReadPipe& request) {
        asked();
        return state->Connect(request.fd, std::move(request.protocol),
                              std::move(request.owner));
      },
      [=](const PauseReading&) { state->Pause(); },
      [=](const ResumeReading&) { state->Resume(); },
      [=](SetReadProtocol& set) {
        asked();
        return state->SetProtocol(std::move(set.protocol));
      },
      [=](const CloseTransport&) { state->End(absl::OkStatus()); },
      [=](const GetTransportInfo&) { return state->Info(); },
      [=](const WatchEnded& ended) { state->End(ended.why); },
  };
}

}  // namespace

ReadTransport SpawnReadTransport(IoHost& host, const IoActor& io,
                                 ReadTransportOptions options) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, io, options);
}

}  // namespace troupe
