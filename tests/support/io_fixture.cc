#include "tests/support/io_fixture.h"

#include <future>

#include "absl/strings/str_cat.h"
#include "caf/atom.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {
namespace {

std::string Describe(const ConnectionLost& lost) {
  if (lost.why.ok()) return "CL(None)";
  return absl::StrCat("CL(", lost.why.message(), ")");
}

struct Notes {
  std::shared_ptr<Trace> trace;
  std::string* received;
  ProtocolScript script;
};

ReadProtocol::behavior_type ReadHandlers(const Notes& notes) {
  return {
      [=](const ConnectionMade&) {
        notes.trace->Add("CM");
        if (notes.script.made) notes.script.made();
      },
      [=](DataReceived& data) {
        if (!notes.script.forget) {
          notes.received->append(data.bytes.data(), data.bytes.size());
        }
        notes.trace->Add(absl::StrCat("DR(", data.bytes.size(), ")"));
        if (notes.script.data) notes.script.data(data);
      },
      [=](const EofReceived&) { notes.trace->Add("EOF"); },
      [=](const ConnectionLost& lost) { notes.trace->Add(Describe(lost)); },
  };
}

ReadProtocol::behavior_type WorkerReadProtocol(ReadProtocol::pointer,
                                               Notes notes) {
  return ReadHandlers(notes);
}

ReadProtocol::behavior_type ResidentReadProtocol(Resident<ReadProtocol::base>*,
                                                 Notes notes) {
  return ReadHandlers(notes);
}

WriteProtocol::behavior_type WorkerWriteProtocol(WriteProtocol::pointer,
                                                 Notes notes) {
  return {
      [=](const ConnectionMade&) {
        notes.trace->Add("CM");
        if (notes.script.made) notes.script.made();
      },
      [=](const PauseWriting&) { notes.trace->Add("PAUSE"); },
      [=](const ResumeWriting&) { notes.trace->Add("RESUME"); },
      [=](const ConnectionLost& lost) { notes.trace->Add(Describe(lost)); },
  };
}

TransportOwner::behavior_type Owner(TransportOwner::pointer,
                                    std::shared_ptr<Trace> trace) {
  return {
      [=](const ObserverLost& lost) {
        trace->Add(absl::StrCat("LOST(", lost.bytes_unread, ")"));
      },
  };
}

TimerObserver::behavior_type Once(TimerObserver::pointer self,
                                  std::function<void()> then) {
  return {
      [=](const TimerFired&) {
        then();
        self->quit();
      },
  };
}

template <class Transport, class Request>
std::string Await(caf::actor_system& system, const Transport& transport,
                  Request request) {
  caf::scoped_actor self(system);
  std::string text;
  self->request(transport, caf::infinite, std::move(request))
      .receive([](const Connected&) {},
               [&](const caf::error& e) {
                 text = std::string(StatusOf(e).message());
               });
  return text;
}

}  // namespace

IoTest::IoTest() {
  config_.set("scheduler.policy", caf::atom("sharing"));
  config_.set("scheduler.max-threads", size_t{2});
  system_ = std::make_unique<caf::actor_system>(config_);
  auto io = IoThread::Start(*system_);
  EXPECT_TRUE(io.ok()) << io.status();
  io_ = *std::move(io);
}

IoTest::~IoTest() {
  io_.reset();
  system_.reset();
}

ReadProtocol IoTest::NewReadProtocol(ProtocolScript script) {
  return system_->spawn<caf::hidden>(
      WorkerReadProtocol, Notes{trace_, &received_, std::move(script)});
}

ReadProtocol IoTest::NewResidentReadProtocol(ProtocolScript script) {
  return SpawnResident<caf::hidden>(
      host(), ResidentReadProtocol,
      Notes{trace_, &received_, std::move(script)});
}

WriteProtocol IoTest::NewWriteProtocol(ProtocolScript script) {
  return system_->spawn<caf::hidden>(
      WorkerWriteProtocol, Notes{trace_, &received_, std::move(script)});
}

TransportOwner IoTest::NewOwner() {
  return system_->spawn<caf::hidden>(Owner, trace_);
}

std::string IoTest::Connect(const ReadTransport& transport, FdTicket fd,
                            ReadProtocol protocol) {
  return Await(*system_, transport,
               ConnectReadPipe{std::move(fd), std::move(protocol), NewOwner()});
}

std::string IoTest::Connect(const ReadTransport& transport, OwnedFd fd,
                            ReadProtocol protocol) {
  return Connect(transport, FdTicket(std::move(fd)), std::move(protocol));
}

std::string IoTest::Connect(const WriteTransport& transport, FdTicket fd,
                            WriteProtocol protocol) {
  return Await(
      *system_, transport,
      ConnectWritePipe{std::move(fd), std::move(protocol), NewOwner()});
}

std::string IoTest::Connect(const WriteTransport& transport, OwnedFd fd,
                            WriteProtocol protocol) {
  return Connect(transport, FdTicket(std::move(fd)), std::move(protocol));
}

// The timer is started in one iteration and fires after the selector's turn in
// a later one.
void IoTest::WaitForIteration(IoThread& thread) {
  auto fired = std::make_shared<std::promise<void>>();
  TimerObserver observer = system_->spawn<caf::hidden>(
      Once, std::function<void()>([fired] { fired->set_value(); }));
  caf::anon_send(thread.actor(), StartTimer{TimerId::Next(), {}, observer});
  fired->get_future().wait();
}

}  // namespace troupe
