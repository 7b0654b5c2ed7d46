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
  std::string text =
      absl::StrCat("CL(", lost.why.ok() ? "None" : lost.why.message(), ")");
  if (lost.bytes_lost > 0) absl::StrAppend(&text, " lost ", lost.bytes_lost);
  if (lost.writes_refused > 0) {
    absl::StrAppend(&text, " refused ", lost.writes_refused);
  }
  return text;
}

struct Notes {
  std::shared_ptr<Trace> trace;
  std::string* received;
  ProtocolScript script;

  void Add(const std::string& event) const { trace->Add(script.name + event); }
};

void Run(const std::function<void()>& script) {
  if (script) script();
}

ReadProtocol::behavior_type ReadHandlers(const Notes& notes) {
  return {
      [=](const ConnectionMade&) {
        notes.Add("CM");
        Run(notes.script.made);
      },
      [=](DataReceived& data) {
        if (!notes.script.forget) {
          notes.received->append(data.bytes.data(), data.bytes.size());
        }
        notes.Add(absl::StrCat("DR(", data.bytes.size(), ")"));
        if (notes.script.data) notes.script.data(data);
      },
      [=](const EofReceived&) {
        notes.Add("EOF");
        Run(notes.script.eof);
      },
      [=](const ConnectionLost& lost) { notes.Add(Describe(lost)); },
  };
}

WriteProtocol::behavior_type WriteHandlers(const Notes& notes) {
  return {
      [=](const ConnectionMade&) {
        notes.Add("CM");
        Run(notes.script.made);
      },
      [=](const PauseWriting&) { notes.Add("PAUSE"); },
      [=](const ResumeWriting&) {
        notes.Add("RESUME");
        Run(notes.script.resumed);
      },
      [=](const ConnectionLost& lost) { notes.Add(Describe(lost)); },
  };
}

StreamProtocol::behavior_type StreamHandlers(const Notes& notes) {
  return {
      [=](const ConnectionMade&) {
        notes.Add("CM");
        Run(notes.script.made);
      },
      [=](DataReceived& data) {
        if (!notes.script.forget) {
          notes.received->append(data.bytes.data(), data.bytes.size());
        }
        notes.Add(absl::StrCat("DR(", data.bytes.size(), ")"));
        if (notes.script.data) notes.script.data(data);
      },
      [=](const EofReceived&) {
        notes.Add("EOF");
        Run(notes.script.eof);
      },
      [=](const PauseWriting&) { notes.Add("PAUSE"); },
      [=](const ResumeWriting&) {
        notes.Add("RESUME");
        Run(notes.script.resumed);
      },
      [=](const ConnectionLost& lost) { notes.Add(Describe(lost)); },
  };
}

// An exception of a handler ends a worker's actor; CAF would say so on stdout.
template <class Self>
void EndQuietly(Self* self) {
  self->set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& e) {
    return ExceptionToError(e);
  });
}

ReadProtocol::behavior_type WorkerReadProtocol(ReadProtocol::pointer self,
                                               Notes notes) {
  EndQuietly(self);
  return ReadHandlers(notes);
}

ReadProtocol::behavior_type ResidentReadProtocol(Resident<ReadProtocol::base>*,
                                                 Notes notes) {
  return ReadHandlers(notes);
}

WriteProtocol::behavior_type WorkerWriteProtocol(WriteProtocol::pointer self,
                                                 Notes notes) {
  EndQuietly(self);
  return WriteHandlers(notes);
}

WriteProtocol::behavior_type ResidentWriteProtocol(
    Resident<WriteProtocol::base>*, Notes notes) {
  return WriteHandlers(notes);
}

StreamProtocol::behavior_type WorkerStreamProtocol(StreamProtocol::pointer self,
                                                   Notes notes) {
  EndQuietly(self);
  return StreamHandlers(notes);
}

StreamProtocol::behavior_type ResidentStreamProtocol(
    Resident<StreamProtocol::base>*, Notes notes) {
  return StreamHandlers(notes);
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

WriteProtocol IoTest::NewResidentWriteProtocol(ProtocolScript script) {
  return SpawnResident<caf::hidden>(
      host(), ResidentWriteProtocol,
      Notes{trace_, &received_, std::move(script)});
}

StreamProtocol IoTest::NewStreamProtocol(ProtocolScript script) {
  return system_->spawn<caf::hidden>(
      WorkerStreamProtocol, Notes{trace_, &received_, std::move(script)});
}

StreamProtocol IoTest::NewResidentStreamProtocol(ProtocolScript script) {
  return SpawnResident<caf::hidden>(
      host(), ResidentStreamProtocol,
      Notes{trace_, &received_, std::move(script)});
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

std::string IoTest::Connect(const StreamTransport& transport, OwnedFd fd,
                            StreamProtocol protocol, AfterEof after_eof) {
  return Await(*system_, transport,
               ConnectStream{FdTicket(std::move(fd)), std::move(protocol),
                             NewOwner(), after_eof});
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
