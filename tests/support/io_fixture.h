// An actor system with one I/O thread, and protocols that write down what they
// are told (protocol_notes.h).
#ifndef TROUPE_TESTS_SUPPORT_IO_FIXTURE_H_
#define TROUPE_TESTS_SUPPORT_IO_FIXTURE_H_

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/scoped_actor.hpp"
#include "io/fd_ticket.h"
#include "io/io_messages.h"
#include "io/io_thread.h"
#include "io/owned_fd.h"
#include "io/status_error.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"
#include "tests/support/protocol_notes.h"
#include "tests/support/trace.h"

namespace troupe {

// What a request is answered with.
template <class Message>
struct AnswerTo {
  using type = Drained;
};
template <>
struct AnswerTo<SetWriteBufferLimits> {
  using type = TransportInfo;
};

class IoTest : public LeakCheckedTest {
 protected:
  IoTest();
  ~IoTest() override;

  // Protocols on workers, hidden; `Resident...` on the I/O thread.
  ReadProtocol NewReadProtocol(ProtocolScript script = {});
  ReadProtocol NewResidentReadProtocol(ProtocolScript script = {});
  WriteProtocol NewWriteProtocol(ProtocolScript script = {});
  WriteProtocol NewResidentWriteProtocol(ProtocolScript script = {});
  TransportOwner NewOwner();

  // Connects and waits for the answer; the error's text, or "" .
  std::string Connect(const ReadTransport& transport, FdTicket fd,
                      ReadProtocol protocol);
  std::string Connect(const ReadTransport& transport, OwnedFd fd,
                      ReadProtocol protocol);
  std::string Connect(const WriteTransport& transport, FdTicket fd,
                      WriteProtocol protocol);
  std::string Connect(const WriteTransport& transport, OwnedFd fd,
                      WriteProtocol protocol);

  // Asks and waits for the answer.
  template <class Transport>
  TransportInfo Info(const Transport& transport) {
    TransportInfo info;
    caf::scoped_actor self(*system_);
    self->request(transport, caf::infinite, GetTransportInfo{})
        .receive(
            [&](const TransportInfo& got) { info = got; },
            [](const caf::error& why) { ADD_FAILURE() << to_string(why); });
    return info;
  }

  // The error's text, or "". Later: asked now, answered some time.
  template <class Handle, class Message>
  std::string Ask(const Handle& actor, Message message) {
    return Later(actor, std::move(message)).get();
  }
  template <class Handle, class Message>
  std::future<std::string> Later(const Handle& actor, Message message) {
    auto text = std::make_shared<std::promise<std::string>>();
    auto future = text->get_future();
    system_->spawn<caf::hidden>([=](caf::event_based_actor* self) mutable {
      self->request(actor, caf::infinite, std::move(message))
          .then(
              [text](const typename AnswerTo<Message>::type&) {
                text->set_value("");
              },
              [text](const caf::error& why) {
                text->set_value(std::string(StatusOf(why).message()));
              });
    });
    return future;
  }

  // Returns when the thread has asked its selector once more than now, and has
  // told its residents what it said.
  void WaitForIteration(IoThread& thread) { WaitForTimer(thread, {}); }
  // Returns when a timer of that thread has fired.
  void WaitForTimer(IoThread& thread, absl::Duration after);

  IoHost& host() { return io_->host(); }
  const IoActor& io() { return io_->actor(); }

  std::shared_ptr<Trace> trace_ = std::make_shared<Trace>();
  std::string received_;  // all bytes; read it after CL

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<IoThread> io_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_IO_FIXTURE_H_
