#include "io/read_transport.h"

#include <sys/ioctl.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/typed_response_promise.hpp"
#include "io/os_error.h"
#include "io/read_buffer.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/transfer.h"
#include "io/transport_setup.h"

namespace troupe {

// The account's wake-up call.
struct CreditReturned {};

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::CreditReturned)

namespace troupe {
namespace {

// Before its neighbours get their turn; the rest follows in the next
// iteration.
constexpr int kReadsPerDispatch = 4;

using Interface =
    ReadTransport::extend<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>,
                          caf::reacts_to<CreditReturned>>;

enum class Phase {
  kIdle,        // no descriptor yet
  kWatching,    // WatchFd is on its way
  kIntroduced,  // ConnectionMade is on its way
  kOpen,
  kClosed,
};

class State {
 public:
  static constexpr const char* name = "read-transport";
  using Self = Interface::stateful_base<State>;

  explicit State(Self* self) : self_(self) {}
  ~State() { Finish(absl::CancelledError("the transport was ended")); }

  void Init(IoHost* host, IoActor io, size_t window);
  caf::result<Connected> Connect(ConnectReadPipe& request);
  void OnReady(const FdReady& ready);
  void Arm();
  void Resume();
  void Pause() { paused_ = true; }
  void SetProtocol(ReadProtocol protocol);
  void OnDown(const caf::down_msg& down);
  TransportInfo Info() const;

  // Tells the protocol, gives the descriptor up and ends the actor.
  void End(absl::Status why, caf::error reason = {});

 private:
  using Promise = caf::typed_response_promise<Connected>;

  void Introduce(Promise promise, const WatchStarted& started);
  void Refuse(Promise& promise, const caf::error& why);
  bool Finish(absl::Status why);
  bool ReadOnce(Readiness readiness);
  template <class T>
  void Tell(T message) {
    Protocol()->enqueue(Self_(), caf::make_message_id(),
                        caf::make_message(std::move(message)), host_);
  }
  caf::strong_actor_ptr Protocol() const {
    return caf::actor_cast<caf::strong_actor_ptr>(protocol_);
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
  ReadProtocol protocol_;
  TransportOwner owner_;
  std::shared_ptr<CreditAccount> account_;
  std::optional<ReadBuffer> buffer_;
  size_t delivered_ = 0;
  bool paused_ = false;
  bool armed_ = false;     // one FdReady is outstanding
  bool readable_ = false;  // stopped before the descriptor was drained
};

void State::Init(IoHost* host, IoActor io, size_t window) {
  host_ = host;
  io_ = std::move(io);
  caf::weak_actor_ptr weak(self_->ctrl());
  account_ = std::make_shared<CreditAccount>(window, [weak] {
    if (caf::strong_actor_ptr transport = weak.lock()) {
      transport->enqueue(nullptr, caf::make_message_id(),
                         caf::make_message(CreditReturned{}), nullptr);
    }
  });
  buffer_.emplace(host->blocks(), account_);
}

caf::result<Connected> State::Connect(ConnectReadPipe& request) {
  if (phase_ != Phase::kIdle) {
    return MakeError(
        absl::FailedPreconditionError("the transport is connected already"));
  }
  protocol_ = std::move(request.protocol);
  owner_ = std::move(request.owner);
  absl::Status local = CheckLocal(Protocol(), self_->node());
  auto kind = PrepareDescriptor(request.fd, host_->blocking(),
                                "Pipe transport is for pipes/sockets only.");
  if (local.ok() && kind.ok()) {
    kind_ = *kind;
    phase_ = Phase::kWatching;
    Promise promise = self_->make_response_promise<Connected>();
    WatchFd watch{std::move(request.fd), -1, FdObserver(self_), {}};
    self_->request(io_, caf::infinite, std::move(watch))
        .then(
            [=, this](const WatchStarted& started) {
              Introduce(promise, started);
            },
            [=, this](const caf::error& why) mutable { Refuse(promise, why); });
    return promise;
  }
  caf::error why = MakeError(local.ok() ? kind.status() : local);
  phase_ = Phase::kClosed;
  self_->quit(why);
  return why;
}

// Reading begins when the protocol has handled ConnectionMade: what it asked
// for there came before its answer.
void State::Introduce(Promise promise, const WatchStarted& started) {
  watch_ = started.watch;
  fd_ = started.fd;
  if (phase_ != Phase::kWatching) {  // closed meanwhile
    self_->send(io_, EndWatch{watch_});
    promise.deliver(MakeError(absl::CancelledError("the transport is closed")));
    self_->quit();
    return;
  }
  phase_ = Phase::kIntroduced;
  self_->monitor(protocol_);
  self_->request(protocol_, caf::infinite, ConnectionMade{})
      .then(
          [=, this]() mutable {
            if (phase_ == Phase::kIntroduced) phase_ = Phase::kOpen;
            promise.deliver(Connected{});
            Arm();
          },
          [=, this](const caf::error& why) mutable {
            promise.deliver(why);
            if (!HasEnded(Protocol())) End(StatusOf(why));
          });
}

void State::Refuse(Promise& promise, const caf::error& why) {
  phase_ = Phase::kClosed;
  promise.deliver(why);
  self_->quit(why);
}

// Asks for readiness, if there is somebody to read for and credit to read on.
void State::Arm() {
  if (phase_ != Phase::kOpen || paused_ || armed_) return;
  if (!account_->MayCharge() && account_->Park()) return;
  armed_ = true;
  // What may block is asked again: others may have read it meanwhile.
  bool still_ready = std::exchange(readable_, false) && !host_->blocking();
  host_->watches().Arm(watch_, Side::kRead, Interest::kReadable, still_ready);
}

void State::OnReady(const FdReady& ready) {
  if (!(ready.watch == watch_)) return;
  armed_ = false;
  readable_ = true;
  if (phase_ != Phase::kOpen || paused_) return;
  for (int i = 0; i < kReadsPerDispatch && readable_; ++i) {
    if (!account_->MayCharge()) break;
    if (HasEnded(Protocol())) return;  // its down message follows
    if (!ReadOnce(ready.readiness)) return;
  }
  Arm();
}

// One read and its message; false if that was the end.
bool State::ReadOnce(Readiness readiness) {
  absl::Span<char> room = buffer_->Room();
  TransferResult got = ReadSome(fd_, kind_, room);
  if (got.would_block) {
    buffer_->GiveBackIfUnused();
    readable_ = false;
    return true;
  }
  if (!got.ok()) {
    End(OsError(got.error_number, "read", absl::StrCat("fd ", fd_)));
    return false;
  }
  if (got.size == 0) {
    Tell(EofReceived{});
    End(absl::OkStatus());
    return false;
  }
  auto [bytes, credit] = buffer_->Commit(got.size);
  delivered_ += got.size;
  Tell(DataReceived{std::move(bytes), std::move(credit)});
  // What may block is read once per readiness.
  readable_ = !host_->blocking() &&
              (got.size == room.size() || readiness.EndFollows() ||
               !ShortReadMeansDrained(kind_));
  return true;
}

void State::Resume() {
  paused_ = false;
  Arm();
}

void State::SetProtocol(ReadProtocol protocol) {
  if (phase_ == Phase::kClosed || !protocol) return;
  if (phase_ == Phase::kIntroduced || phase_ == Phase::kOpen) {
    self_->demonitor(protocol_.address());
    self_->monitor(protocol);
  }
  protocol_ = std::move(protocol);
}

void State::OnDown(const caf::down_msg& down) {
  if (phase_ == Phase::kClosed || down.source != protocol_.address()) return;
  int unread = 0;
  if (ioctl(fd_, FIONREAD, &unread) < 0) unread = 0;
  if (owner_) {
    self_->send(owner_, ObserverLost{delivered_, static_cast<size_t>(unread)});
  }
  End(absl::CancelledError("the protocol ended"));
}

TransportInfo State::Info() const {
  TransportInfo info;
  info.fd = fd_;
  info.closing = phase_ == Phase::kClosed;
  info.paused = paused_;
  info.buffered = account_->in_flight();
  return info;
}

// Tells the protocol and gives the descriptor up; false if that was done.
bool State::Finish(absl::Status why) {
  Phase phase = std::exchange(phase_, Phase::kClosed);
  if (phase == Phase::kClosed || phase == Phase::kIdle) return false;
  account_->Close();
  // A watch that is on its way is ended when it comes.
  if (phase == Phase::kWatching) return false;
  Tell(ConnectionLost{.why = std::move(why)});
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
                                  IoHost* host, IoActor io, size_t window) {
  State* state = &self->state;
  state->Init(host, std::move(io), window);
  self->set_down_handler(
      [=](const caf::down_msg& down) { state->OnDown(down); });
  self->set_exit_handler([=](const caf::exit_msg& exit) {
    if (exit.reason) state->End(StatusOf(exit.reason), exit.reason);
  });
  return {
      [=](ConnectReadPipe& request) { return state->Connect(request); },
      [=](const PauseReading&) { state->Pause(); },
      [=](const ResumeReading&) { state->Resume(); },
      [=](SetReadProtocol& set) { state->SetProtocol(set.protocol); },
      [=](const CloseTransport&) { state->End(absl::OkStatus()); },
      [=](const GetTransportInfo&) { return state->Info(); },
      [=](const FdReady& ready) { state->OnReady(ready); },
      [=](const WatchEnded& ended) { state->End(ended.why); },
      [=](const CreditReturned&) { state->Arm(); },
  };
}

}  // namespace

ReadTransport SpawnReadTransport(IoHost& host, const IoActor& io,
                                 ReadTransportOptions options) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, io, options.window);
}

}  // namespace troupe
