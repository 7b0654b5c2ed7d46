// What all transports do alike: take a descriptor, introduce it to a protocol,
// and give it up.
//
//   class State : Connection<Interface, ReadProtocol> {
//     void Opened() override;                         // begin to work
//     ConnectionLost LastWords(absl::Status) override;  // stop, say the sum
//   };
//
// kIdle -> kBegun -> kWatching -> kGreeting -> kIntroduced -> kOpen -> kClosed;
// any phase may go to kClosed at once. The protocol is told ConnectionMade in
// kGreeting and ConnectionLost on the way from kIntroduced or kOpen to kClosed:
// exactly once each, or neither. Whoever asked to connect is answered in every
// case.
#ifndef TROUPE_IO_CONNECTION_H_
#define TROUPE_IO_CONNECTION_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "caf/actor_cast.hpp"
#include "caf/scheduled_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "caf/typed_response_promise.hpp"
#include "io/descriptor_kind.h"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/monitors.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/tell.h"
#include "io/transport_info.h"
#include "io/transport_setup.h"

namespace troupe {

template <class Interface, class Protocol>
class Connection {
 public:
  using Self = typename Interface::base;

  // Which sides of a watch are served: a protocol may be missing if only the
  // writer's is.
  enum class Sides { kRead, kWrite, kBoth };

  Connection(Self* self, Sides sides) : self_(self), sides_(sides) {}
  virtual ~Connection() = default;

  void Serve(IoHost* host, IoActor io) {
    host_ = host;
    io_ = std::move(io);
  }

  caf::result<Connected> Connect(const FdTicket& fd, Protocol protocol,
                                 TransportOwner owner) {
    caf::result<Connected> answer =
        Begin(std::move(protocol), std::move(owner));
    if (phase_ == Phase::kBegun) Continue(fd);
    return answer;
  }

  // The same in two steps, for whoever has to find the descriptor first; the
  // second follows if the phase is kBegun.
  caf::result<Connected> Begin(Protocol protocol, TransportOwner owner) {
    if (phase_ != Phase::kIdle) {
      return MakeError(
          absl::FailedPreconditionError("the transport is connected already"));
    }
    phase_ = Phase::kBegun;
    connecting_ = self_->template make_response_promise<Connected>();
    caf::result<Connected> answer = connecting_;
    SetReceiver(std::move(protocol));
    owner_ = std::move(owner);
    absl::Status usable = CheckProtocol(protocol_);
    if (!usable.ok()) Refuse(usable);
    return answer;
  }
  void Continue(const FdTicket& fd) {
    absl::Status usable = Prepare(fd);
    if (!usable.ok()) return Refuse(usable);
    phase_ = Phase::kWatching;
    FdObserver observer(self_);
    WatchFd watch{fd, -1, {}, {}};
    if (sides_ != Sides::kWrite) watch.reader = observer;
    if (sides_ != Sides::kRead) watch.writer = observer;
    self_->request(io_, caf::infinite, std::move(watch))
        .then([this](const WatchStarted& started) { Start(started); },
              [this](const caf::error& why) {
                Finish(StatusOf(why));
                self_->quit(why);
              });
  }
  // There is nothing to connect to; the protocol is told nothing.
  void Refuse(const absl::Status& why) { End(why, MakeError(why)); }

  // Takes effect with the next event (row R16).
  caf::result<void> SetProtocol(Protocol protocol) {
    absl::Status usable = CheckProtocol(protocol);
    if (!usable.ok()) return MakeError(usable);
    if (phase_ == Phase::kIntroduced || phase_ == Phase::kOpen) {
      monitor_.Begin(host_->monitors(), protocol, self_);
    }
    if (phase_ != Phase::kClosed) SetReceiver(std::move(protocol));
    return caf::unit;
  }

  // Tells the protocol, gives the descriptor up and ends the actor; a watch
  // that is on its way is ended when it comes.
  void End(absl::Status why, caf::error reason = {}) {
    Phase before = phase_;
    if (!why.ok() && before >= Phase::kGreeting && before != Phase::kClosed &&
        debug()) {
      Note(absl::StrCat(": ", why.message()));
    }
    if (Finish(std::move(why)) || before < Phase::kWatching) {
      self_->quit(std::move(reason));
    }
  }

 protected:
  enum class Phase {
    kIdle,        // nobody has asked yet
    kBegun,       // no descriptor yet
    kWatching,    // WatchFd is on its way
    kGreeting,    // the protocol does not know yet
    kIntroduced,  // ConnectionMade is on its way
    kOpen,
    kClosed,
  };

  virtual TransportInfo Info() const = 0;
  // Whether it can be served; may change its flags.
  virtual absl::StatusOr<DescriptorKind> CheckDescriptor(const FdTicket& fd) {
    return PrepareDescriptor(fd, host_->blocking(), SideOfTexts());
  }
  // The descriptor is there and watched; Introduce tells the protocol.
  virtual void Watched() { Introduce(); }
  // The protocol has handled ConnectionMade, or there is none.
  virtual void Opened() = 0;
  // Once, in any phase: nothing is left to be done or answered afterwards.
  virtual ConnectionLost LastWords(absl::Status why) = 0;

  // Whether an open connection has lost its protocol.
  bool LostProtocol(const caf::down_msg& down) {
    if (down.source != protocol_.address()) return false;
    if (phase_ == Phase::kIntroduced) {
      End(absl::CancelledError("the protocol ended"));
    }
    return phase_ == Phase::kOpen;
  }

  // In kGreeting.
  void Introduce() {
    phase_ = Phase::kIntroduced;
    if (!protocol_) return Open();
    monitor_.Begin(host_->monitors(), protocol_, self_);
    self_->request(protocol_, caf::infinite, ConnectionMade{})
        .then([this] { Open(); },
              [this, asked = protocol_](const caf::error& why) {
                Refused(asked, why);
              });
  }

  void Open() {
    Answer(caf::none);
    if (phase_ != Phase::kIntroduced) return;
    phase_ = Phase::kOpen;
    Opened();
    if (debug()) {
      host_->debug_sink()(ConnectedText(
          Info(), caf::actor_cast<caf::strong_actor_ptr>(protocol_)));
    }
  }

  // For the destructor of the derived class: a killed actor, which is also what
  // its host's end makes of it, has no other last moment. The ledger of what
  // was forgotten is these lines (rows R19, W26): nothing is kept for it.
  void Forgotten() {
    if (phase_ >= Phase::kGreeting && phase_ != Phase::kClosed && debug()) {
      host_->debug_sink()(
          absl::StrCat("unclosed transport ", ToString(Info())));
    }
    Finish(absl::CancelledError("the transport was ended"));
  }

  // In debug mode tells that the transport, by its text, does this.
  void Note(absl::string_view what) const {
    if (debug()) host_->debug_sink()(absl::StrCat(ToString(Info()), what));
  }

  // False if the protocol has nothing to be told.
  bool Finish(absl::Status why) {
    Phase phase = std::exchange(phase_, Phase::kClosed);
    if (phase == Phase::kClosed) return false;
    monitor_.End();
    ConnectionLost last = LastWords(why);
    // Whoever is closed in ConnectionMade was connected (row R12).
    if (phase == Phase::kIntroduced && why.ok()) Answer(caf::none);
    Answer(MakeError(why.ok() ? absl::CancelledError("the transport is closed")
                              : why));
    if (phase <= Phase::kWatching) return false;
    if (phase >= Phase::kIntroduced) Tell(std::move(last));
    TellFrom(self_, caf::actor_cast<caf::abstract_actor*>(io_),
             EndWatch{watch_}, host_);
    return true;
  }

  template <class T>
  void Tell(T message) {
    if (receiver_ == nullptr) return;
    TellFrom(self_, receiver_, std::move(message), host_);
  }

  // The same; a protocol on this thread that is at rest handles it at once. For
  // the thread's hot path, from functions that bear it.
  template <class T>
  void TellNow(T message) {
    if (neighbour_ == nullptr ||
        !neighbour_->ActivateNow(self_->ctrl(), message)) {
      Tell(std::move(message));
    }
  }

  void SetReceiver(Protocol protocol) {
    protocol_ = std::move(protocol);
    // An empty handle must not be cast to a plain pointer.
    auto pointer = caf::actor_cast<caf::strong_actor_ptr>(protocol_);
    receiver_ = pointer == nullptr ? nullptr : pointer->get();
    mailbox_owner_ = dynamic_cast<caf::scheduled_actor*>(receiver_);
    auto* resident = dynamic_cast<ResidentBase*>(receiver_);
    neighbour_ =
        resident != nullptr && &resident->host() == host_ ? resident : nullptr;
  }
  // Messages to it go nowhere any more; its down message follows.
  bool ReceiverEnded() const {
    return mailbox_owner_ != nullptr && mailbox_owner_->mailbox().closed();
  }

  Self* self_;
  const Sides sides_;
  IoHost* host_ = nullptr;
  IoActor io_;
  Phase phase_ = Phase::kIdle;
  WatchId watch_;
  int fd_ = -1;
  DescriptorKind kind_ = DescriptorKind::kOther;
  Protocol protocol_;  // set by SetReceiver only
  TransportOwner owner_;

 private:
  bool debug() const { return host_ != nullptr && host_->debug_sink(); }

  Side SideOfTexts() const {
    return sides_ == Sides::kWrite ? Side::kWrite : Side::kRead;
  }

  absl::Status Prepare(const FdTicket& fd) {
    auto kind = CheckDescriptor(fd);
    if (kind.ok()) kind_ = *kind;
    return kind.status();
  }

  absl::Status CheckProtocol(const Protocol& protocol) const {
    return CheckLocal(caf::actor_cast<caf::strong_actor_ptr>(protocol),
                      SideOfTexts(), self_->node());
  }

  void Start(const WatchStarted& started) {
    watch_ = started.watch;
    fd_ = started.fd;
    if (phase_ != Phase::kWatching) {  // closed meanwhile
      self_->send(io_, EndWatch{watch_});
      self_->quit();
      return;
    }
    phase_ = Phase::kGreeting;
    Watched();
  }

  // By an error of its handler or by dying in it: which of the two is known
  // first is chance, so they are the same.
  void Refused(const Protocol& asked, const caf::error& why) {
    if (phase_ != Phase::kIntroduced) return;
    if (!(asked == protocol_)) return Open();  // it was replaced
    End(StatusOf(why));
  }

  // Answers who asked to connect, once.
  void Answer(const caf::error& why) {
    auto promise = std::exchange(connecting_, {});
    if (why) {
      promise.deliver(why);
    } else {
      promise.deliver(Connected{});
    }
  }

  Monitor monitor_;                                // of the protocol
  caf::abstract_actor* receiver_ = nullptr;        // the protocol's
  caf::scheduled_actor* mailbox_owner_ = nullptr;  // the same, if it is one
  ResidentBase* neighbour_ = nullptr;  // the same, if it is of this host
  caf::typed_response_promise<Connected> connecting_;
};

}  // namespace troupe

#endif  // TROUPE_IO_CONNECTION_H_
