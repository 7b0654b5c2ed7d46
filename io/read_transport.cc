#include "io/read_transport.h"

#include <sys/ioctl.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/answer_requests.h"
#include "io/os_error.h"
#include "io/pipe_connection.h"
#include "io/read_buffer.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/transfer.h"

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

class State : public PipeConnection<Interface, ReadProtocol> {
 public:
  static constexpr const char* name = "read-transport";

  explicit State(Self* self) : PipeConnection(self, Side::kRead) {}
  ~State() override { Finish(absl::CancelledError("the transport was ended")); }

  void Init(IoHost* host, IoActor io, size_t window);
  void OnReady(const FdReady& ready);
  void Arm();
  void Resume();
  void Pause() { paused_ = true; }
  void OnDown(const caf::down_msg& down);
  TransportInfo Info() const;

 private:
  // Reading begins when the protocol has handled ConnectionMade: what it asked
  // for there came before its answer (row R11).
  void Opened() override { Arm(); }
  ConnectionLost LastWords(absl::Status why) override;
  bool ReadOnce(Readiness readiness);
  size_t Unread() const;

  std::shared_ptr<CreditAccount> account_;
  std::optional<ReadBuffer> buffer_;
  size_t delivered_ = 0;
  bool paused_ = false;
  bool armed_ = false;     // one FdReady is outstanding
  bool readable_ = false;  // stopped before the descriptor was drained
};

void State::Init(IoHost* host, IoActor io, size_t window) {
  Serve(host, std::move(io));
  caf::weak_actor_ptr weak(self_->ctrl());
  account_ = std::make_shared<CreditAccount>(window, [weak] {
    if (caf::strong_actor_ptr transport = weak.lock()) {
      transport->enqueue(nullptr, caf::make_message_id(),
                         caf::make_message(CreditReturned{}), nullptr);
    }
  });
  buffer_.emplace(host->blocks(), account_);
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
    if (HasEnded(ProtocolPointer())) return;  // its down message follows
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

void State::OnDown(const caf::down_msg& down) {
  if (!LostProtocol(down)) return;
  if (owner_) self_->send(owner_, ObserverLost{delivered_, Unread()});
  End(absl::CancelledError("the protocol ended"));
}

size_t State::Unread() const {
  int unread = 0;
  return ioctl(fd_, FIONREAD, &unread) == 0 ? unread : 0;
}

TransportInfo State::Info() const {
  TransportInfo info;
  info.fd = fd_;
  info.closing = phase_ == Phase::kClosed;
  info.paused = paused_;
  info.buffered = account_->in_flight();
  info.delivered = delivered_;
  info.unread = Unread();
  return info;
}

ConnectionLost State::LastWords(absl::Status why) {
  if (account_ != nullptr) account_->Close();  // else it never began
  ConnectionLost last;
  last.why = std::move(why);
  return last;
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
  auto asked = [=] { AnswerRequestsOnly(self); };
  return {
      [=](ConnectReadPipe& request) {
        asked();
        return state->Connect(request);
      },
      [=](const PauseReading&) { state->Pause(); },
      [=](const ResumeReading&) { state->Resume(); },
      [=](SetReadProtocol& set) {
        asked();
        return state->SetProtocol(std::move(set.protocol));
      },
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
