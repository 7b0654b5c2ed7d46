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

ReadProtocol::behavior_type ReadHandlers(const ProtocolNotes& notes) {
  return {
      [=](const ConnectionMade&) { notes.Made(); },
      [=](DataReceived& data) { notes.Data(data); },
      [=](const EofReceived&) { notes.Eof(); },
      [=](const ConnectionLost& lost) { notes.Lost(lost); },
  };
}

WriteProtocol::behavior_type WriteHandlers(const ProtocolNotes& notes) {
  return {
      [=](const ConnectionMade&) { notes.Made(); },
      [=](const PauseWriting&) { notes.Paused(); },
      [=](const ResumeWriting&) { notes.Resumed(); },
      [=](const ConnectionLost& lost) { notes.Lost(lost); },
  };
}

ReadProtocol::behavior_type WorkerReadProtocol(ReadProtocol::pointer self,
                                               ProtocolNotes notes) {
  EndQuietly(self);
  return ReadHandlers(notes);
}

ReadProtocol::behavior_type ResidentReadProtocol(Resident<ReadProtocol::base>*,
                                                 ProtocolNotes notes) {
  return ReadHandlers(notes);
}

WriteProtocol::behavior_type WorkerWriteProtocol(WriteProtocol::pointer self,
                                                 ProtocolNotes notes) {
  EndQuietly(self);
  return WriteHandlers(notes);
}

WriteProtocol::behavior_type ResidentWriteProtocol(
    Resident<WriteProtocol::base>*, ProtocolNotes notes) {
  return WriteHandlers(notes);
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
      WorkerReadProtocol, ProtocolNotes{trace_, &received_, std::move(script)});
}

ReadProtocol IoTest::NewResidentReadProtocol(ProtocolScript script) {
  return SpawnResident<caf::hidden>(
      host(), ResidentReadProtocol,
      ProtocolNotes{trace_, &received_, std::move(script)});
}

WriteProtocol IoTest::NewWriteProtocol(ProtocolScript script) {
  return system_->spawn<caf::hidden>(
      WorkerWriteProtocol,
      ProtocolNotes{trace_, &received_, std::move(script)});
}

WriteProtocol IoTest::NewResidentWriteProtocol(ProtocolScript script) {
  return SpawnResident<caf::hidden>(
      host(), ResidentWriteProtocol,
      ProtocolNotes{trace_, &received_, std::move(script)});
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
void IoTest::WaitForTimer(IoThread& thread, absl::Duration after) {
  auto fired = std::make_shared<std::promise<void>>();
  TimerObserver observer = system_->spawn<caf::hidden>(
      Once, std::function<void()>([fired] { fired->set_value(); }));
  caf::anon_send(thread.actor(), StartTimer{TimerId::Next(), after, observer});
  fired->get_future().wait();
}

}  // namespace troupe
