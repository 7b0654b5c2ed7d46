// Descriptors that go through stream transports beside the bytes (row A25).
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/actor_cast.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "io/resident.h"
#include "io/sockets/descriptor_passing.h"
#include "io/sockets/stream_transport.h"
#include "tests/io/sockets/full_descriptor_table.h"
#include "tests/support/descriptors.h"
#include "tests/support/stream_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// One actor that is told of bytes and descriptors: `FD(2)@5` is two descriptors
// before the chunk that begins at byte 5.
using Both = StreamProtocol::extend<caf::reacts_to<DescriptorsReceived>>;

struct BothNotes {
  std::shared_ptr<Trace> trace;
  std::function<void(DescriptorsReceived&)> descriptors;
};

Both::behavior_type BothHandlers(Resident<Both::base>*, BothNotes notes) {
  auto add = [=](std::string event) { notes.trace->Add(std::move(event)); };
  return {
      [=](const ConnectionMade&) { add("CM"); },
      [=](const DataReceived& data) {
        add(absl::StrCat("DR ", data.bytes.view()));
      },
      [=](const EofReceived&) { add("EOF"); },
      [](const PauseWriting&) {},
      [](const ResumeWriting&) {},
      [=](const ConnectionLost&) { add("CL"); },
      [=](DescriptorsReceived& received) {
        add(absl::StrCat("FD(", received.descriptors.size(), ")@",
                         received.position, received.lost ? " lost" : ""));
        if (notes.descriptors) notes.descriptors(received);
      },
  };
}

class StreamDescriptorsTest : public StreamTest {
 protected:
  StreamDescriptorsTest() { Pair(SOCK_STREAM); }
  ~StreamDescriptorsTest() override { kept_.clear(); }

  void Pair(int type) { std::tie(ours_, theirs_) = MakeSocketPair(type); }

  // A transport that writes, with a protocol that notes PAUSE and CL(...).
  void OpenWriter(AfterEof after_eof = AfterEof::kHalfOpen) {
    writer_ = SpawnStreamTransport(host(), io());
    ASSERT_EQ(
        Connect(writer_, std::move(ours_), NewStreamProtocol(), after_eof), "");
  }
  // One that reads, with one actor for bytes and descriptors. What it gets is
  // kept, without credit, unless `descriptors` says otherwise.
  void OpenReader(std::function<void(DescriptorsReceived&)> descriptors = {}) {
    if (!descriptors) {
      descriptors = [this](DescriptorsReceived& received) { Keep(received); };
    }
    Both both = SpawnResident<caf::hidden>(
        host(), BothHandlers, BothNotes{read_, std::move(descriptors)});
    ASSERT_EQ(ConnectReader(std::move(theirs_),
                            caf::actor_cast<DescriptorReceiver>(both),
                            caf::actor_cast<StreamProtocol>(both)),
              "");
  }
  std::string ConnectReader(OwnedFd fd, DescriptorReceiver receiver,
                            StreamProtocol protocol) {
    reader_ = SpawnStreamTransport(host(), io());
    return Answer<Connected>(reader_,
                             ConnectStream{.fd = FdTicket(std::move(fd)),
                                           .protocol = std::move(protocol),
                                           .descriptors = std::move(receiver)});
  }
  void Keep(DescriptorsReceived& received) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (FdTicket& ticket : received.descriptors)
      kept_.push_back(ticket.Take());
  }

  // A write end of pipe_.
  FdTicket Ticket() { return FdTicket(OwnedFd(dup(pipe_.second.get()))); }
  std::vector<FdTicket> Tickets(size_t count) {
    std::vector<FdTicket> tickets(count);
    std::generate(tickets.begin(), tickets.end(), [this] { return Ticket(); });
    return tickets;
  }
  std::string Pass(const std::string& text, std::vector<FdTicket> tickets) {
    return Answer<Drained>(writer_,
                           WriteDescriptors{Bytes(text), std::move(tickets)});
  }
  void Say(const std::string& text) {
    caf::anon_send(writer_, Write{Bytes(text), {}});
  }
  // Not by a transport.
  static void PassPlainly(const OwnedFd& socket, const std::string& text,
                          const std::vector<int>& numbers) {
    const iovec piece = {const_cast<char*>(text.data()), text.size()};
    EXPECT_TRUE(SendWithDescriptors(socket.get(), {&piece, 1}, numbers).ok());
  }
  // Returns when nobody has a write end of pipe_ any more.
  void ExpectAllClosed() {
    pipe_.second.Close();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      kept_.clear();
    }
    WaitForHangUp(pipe_.first);
  }

  OwnedFd ours_, theirs_;
  Ends pipe_ = MakePipe();
  StreamTransport writer_, reader_;
  std::shared_ptr<Trace> read_ = std::make_shared<Trace>();
  std::mutex mutex_;
  std::vector<OwnedFd> kept_;
};

TEST_F(StreamDescriptorsTest, PassesThemBesideTheBytes) {
  OpenWriter();
  OpenReader();
  FdTicket ticket = Ticket();
  EXPECT_EQ(Pass("hello", {ticket, Ticket()}), "");
  EXPECT_EQ(ticket.number(), -1);
  ASSERT_TRUE(read_->WaitFor("DR hello"));
  EXPECT_THAT(read_->events(), ElementsAre("CM", "FD(2)@0", "DR hello"));
  WriteFully(kept_.at(0), "through");
  EXPECT_EQ(ReadFully(pipe_.first, 7), "through");
  EXPECT_EQ(fcntl(kept_.at(1).get(), F_GETFD), FD_CLOEXEC);
  ExpectAllClosed();
}

// All of it is there before the first read.
TEST_F(StreamDescriptorsTest, TellsThemBeforeTheChunkThatTheyRodeOn) {
  OpenWriter();
  Say("a");
  EXPECT_EQ(Pass("b", Tickets(1)), "");
  Say("c");
  EXPECT_EQ(Pass("d", Tickets(2)), "");
  EXPECT_EQ(Pass("e", Tickets(3)), "");
  Say("f");
  caf::anon_send(writer_, WriteEof{});
  OpenReader();
  ASSERT_TRUE(read_->WaitFor("EOF"));
  const auto events = read_->events();
  EXPECT_THAT(std::vector<std::string>(events.begin(), events.begin() + 9),
              ElementsAre("CM", "FD(1)@0", "DR ab", "FD(2)@2", "DR cd",
                          "FD(3)@4", "DR e", "DR f", "EOF"));
}

// The kernel ends a read behind descriptors: no more will be said of what is
// there already.
TEST_F(StreamDescriptorsTest, ReadsOnBehindThem) {
  PassPlainly(ours_, "a", {pipe_.second.get()});
  PassPlainly(ours_, "b", {pipe_.second.get()});
  PassPlainly(ours_, "c", {});
  OpenReader();
  ASSERT_TRUE(read_->WaitFor("DR c"));
}

// The same without a receiver. A bug: the rest was read when more came.
TEST_F(StreamDescriptorsTest, ReadsOnBehindThemWhenNobodyWantsThem) {
  PassPlainly(ours_, "a", {pipe_.second.get()});
  PassPlainly(ours_, "b", {pipe_.second.get()});
  PassPlainly(ours_, "c", {});
  reader_ = SpawnStreamTransport(host(), io());
  ASSERT_EQ(Connect(reader_, std::move(theirs_), NewStreamProtocol()), "");
  ASSERT_TRUE(trace_->WaitFor("DR(1)", 3));
}

TEST_F(StreamDescriptorsTest, KeepsThemWithTheirMessages) {
  for (int type : {SOCK_SEQPACKET, SOCK_DGRAM}) {
    Pair(type);
    read_ = std::make_shared<Trace>();
    OpenWriter();
    Say("none");
    EXPECT_EQ(Pass("one", Tickets(1)), "");
    EXPECT_EQ(Pass("", Tickets(2)), "");
    EXPECT_EQ(Pass("three", Tickets(3)), "");
    OpenReader();
    ASSERT_TRUE(read_->WaitFor("DR three"));
    EXPECT_THAT(read_->events(),
                ElementsAre("CM", "DR none", "FD(1)@4", "DR one", "FD(2)@7",
                            "DR ", "FD(3)@7", "DR three"));
    caf::anon_send(writer_, AbortTransport{});
    caf::anon_send(reader_, AbortTransport{});
  }
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, WritesWithoutAnyAsEver) {
  OpenWriter();
  EXPECT_EQ(Pass("plain", {}), "");
  EXPECT_EQ(ReadFully(theirs_, 5), "plain");
}

// -- refusals -----------------------------------------------------------------

TEST_F(StreamDescriptorsTest, RefusesWhatAStreamCannotCarry) {
  OpenWriter();
  std::vector<FdTicket> tickets = Tickets(2);
  EXPECT_THAT(Pass("", tickets), HasSubstr("need a byte to ride on"));
  EXPECT_THAT(Pass("x", {tickets[0], FdTicket(), tickets[1]}),
              HasSubstr("descriptor 2 of 3"));
  EXPECT_THAT(Pass("x", std::vector<FdTicket>(254, tickets[0])),
              HasSubstr("at most 253"));
  EXPECT_GE(tickets[0].number(), 0);
  EXPECT_GE(tickets[1].number(), 0);
  EXPECT_EQ(Pass("x", tickets), "");
}

TEST_F(StreamDescriptorsTest, RefusesThemBeforeThereIsAConnection) {
  writer_ = SpawnStreamTransport(host(), io());
  FdTicket ticket = Ticket();
  EXPECT_THAT(Pass("x", {ticket}), HasSubstr("when there is a connection"));
  EXPECT_GE(ticket.number(), 0);
}

TEST_F(StreamDescriptorsTest, RefusesThemAfterTheEnd) {
  OpenWriter();
  caf::anon_send(writer_, WriteEof{});
  FdTicket ticket = Ticket();
  EXPECT_EQ(Pass("x", {ticket}), "Cannot call write() after write_eof()");
  EXPECT_GE(ticket.number(), 0);
}

// To another host.
TEST_F(StreamDescriptorsTest, RefusesThemOverAnythingButAUnixSocket) {
  OwnedFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* name = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener.get(), name, size), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ASSERT_EQ(getsockname(listener.get(), name, &size), 0);
  ours_ = OwnedFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(ours_.get(), name, size), 0);
  theirs_ = OwnedFd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));

  const std::string text =
      absl::StrCat("descriptors go over UNIX sockets only, fd ", ours_.get(),
                   " is an IPv4 socket");
  OpenWriter();
  FdTicket ticket = Ticket();
  EXPECT_EQ(Pass("x", {ticket}), text);
  EXPECT_GE(ticket.number(), 0);
  Say("bytes go on");
  EXPECT_EQ(ReadFully(theirs_, 11), "bytes go on");

  DescriptorReceiver receiver = system_->spawn<caf::hidden>(
      [](DescriptorReceiver::pointer) -> DescriptorReceiver::behavior_type {
        return {[](const DescriptorsReceived&) {}};
      });
  EXPECT_THAT(ConnectReader(std::move(theirs_), receiver, NewStreamProtocol()),
              HasSubstr("UNIX sockets only"));
}

// -- ends ---------------------------------------------------------------------

TEST_F(StreamDescriptorsTest, ClosesWhatNobodyReceives) {
  OpenWriter();
  reader_ = SpawnStreamTransport(host(), io());
  ASSERT_EQ(Connect(reader_, std::move(theirs_), NewStreamProtocol()), "");
  EXPECT_EQ(Pass("ignored", Tickets(3)), "");
  ASSERT_TRUE(trace_->WaitFor("DR(7)"));
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, ClosesThemWithTheMessageThatNobodyTookThemFrom) {
  OpenWriter();
  OpenReader([](DescriptorsReceived&) {});
  EXPECT_EQ(Pass("x", Tickets(3)), "");
  ASSERT_TRUE(read_->WaitFor("DR x"));
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, GoesOnWhenTheReceiverHasEnded) {
  OpenWriter();
  DescriptorReceiver receiver = system_->spawn<caf::hidden>(
      [](DescriptorReceiver::pointer) -> DescriptorReceiver::behavior_type {
        return {[](const DescriptorsReceived&) {}};
      });
  ASSERT_EQ(ConnectReader(std::move(theirs_), receiver, NewStreamProtocol()),
            "");
  caf::anon_send_exit(receiver, caf::exit_reason::kill);
  for (int i = 1; i <= 100; ++i) {  // more than the window
    EXPECT_EQ(Pass("x", Tickets(1)), "");
    ASSERT_TRUE(trace_->WaitFor("DR(1)", i));
  }
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, ClosesThemInTheMailboxOfAReceiverThatIsKilled) {
  auto go_on = std::make_shared<std::promise<void>>();
  auto wait = go_on->get_future().share();
  auto busy = std::make_shared<std::promise<void>>();
  DescriptorReceiver receiver = system_->spawn<caf::hidden>(
      [=](DescriptorReceiver::pointer) -> DescriptorReceiver::behavior_type {
        return {[=](const DescriptorsReceived& received) {
          if (received.position > 0) return;
          busy->set_value();
          wait.wait();
        }};
      });
  OpenWriter();
  // On the I/O thread: the receiver may have the only worker.
  StreamProtocol protocol = NewResidentStreamProtocol();
  ASSERT_EQ(ConnectReader(std::move(theirs_), receiver, protocol), "");
  EXPECT_EQ(Pass("x", Tickets(2)), "");
  busy->get_future().wait();
  EXPECT_EQ(Pass("x", Tickets(2)), "");
  ASSERT_TRUE(trace_->WaitFor("DR(1)", 2));
  caf::anon_send_exit(receiver, caf::exit_reason::kill);
  go_on->set_value();
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, ClosesWhatIsQueuedWhenItIsAborted) {
  Fill(ours_);
  OpenWriter();
  caf::anon_send(writer_, WriteDescriptors{Bytes("queued"), Tickets(3)});
  EXPECT_GT(Info(writer_).writing.buffered, 3 * kDescriptorCost);
  caf::anon_send(writer_, AbortTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None) lost 6"));
  ExpectAllClosed();
}

TEST_F(StreamDescriptorsTest, SaysThatSomeWereLostAndGoesOn) {
  OpenReader();
  const std::vector<int> ten(10, pipe_.second.get());
  {
    FullDescriptorTable table(4);
    PassPlainly(ours_, "x", ten);
    ASSERT_TRUE(read_->WaitFor("DR x"));
    PassPlainly(ours_, "y", ten);
    ASSERT_TRUE(read_->WaitFor("DR y"));
  }
  PassPlainly(ours_, "z", ten);
  ASSERT_TRUE(read_->WaitFor("DR z"));
  EXPECT_THAT(read_->events(),
              ElementsAre("CM", "FD(4)@0 lost", "DR x", "FD(0)@1 lost", "DR y",
                          "FD(10)@2", "DR z"));
  ExpectAllClosed();
}

// -- bounds -------------------------------------------------------------------

TEST_F(StreamDescriptorsTest, PausesAWriterByWhatItHoldsOpen) {
  Fill(ours_);
  OpenWriter();
  caf::anon_send(writer_, WriteDescriptors{Bytes("x"), Tickets(16)});
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  EXPECT_TRUE(Info(writer_).writing.paused);
}

// The position of a file is its number: each is opened by itself.
class FloodTest : public StreamDescriptorsTest {
 protected:
  static constexpr int kAll = 10000;

  void SetUp() override {
    file_ = MakeFile(std::string(kAll, '.'), O_RDONLY);
    path_ = absl::StrCat("/proc/self/fd/", file_.get());
  }
  FdTicket Numbered(int number) {
    OwnedFd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(lseek(fd.get(), number, SEEK_SET), number);
    return FdTicket(std::move(fd));
  }
  // One after the other, each when the one before has drained.
  void PassAll() {
    system_->spawn<caf::hidden>(
        [this](caf::event_based_actor* self) { PassFrom(self, 0); });
  }
  void PassFrom(caf::event_based_actor* self, int number) {
    if (number == kAll) return;
    self->request(writer_, caf::infinite,
                  WriteDescriptors{Bytes("x"), {Numbered(number)}})
        .then([=, this](const Drained&) { PassFrom(self, number + 1); });
  }

  OwnedFd file_;
  std::string path_;
};

TEST_F(FloodTest, IsBoundedByAReceiverThatKeepsThemAndAllComeInOrder) {
  const size_t before = OpenDescriptors().size();
  std::vector<DescriptorsReceived> kept;  // the I/O thread's, and under mutex_
  bool keeps = true;
  int expected = 0, wrong = 0;
  size_t most = 0;
  OpenWriter();
  OpenReader([&](DescriptorsReceived& received) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const FdTicket& ticket : received.descriptors) {
      if (lseek(ticket.number(), 0, SEEK_CUR) != expected++) ++wrong;
    }
    if (keeps) kept.push_back(received);
    most = std::max(most, kept.size());
    if (expected == kAll) read_->Add("all");
  });
  PassAll();
  // Soon nothing is read any more, so the socket fills, and then the writer.
  // How soon depends on the bytes that are in flight, too.
  ASSERT_TRUE(read_->WaitFor("FD(1)@49"));
  ASSERT_TRUE(trace_->WaitUntil([](const std::vector<std::string>& events) {
    return !events.empty() && events.back() == "PAUSE";
  }));
  for (int i = 0; i < 3; ++i) WaitForIteration(*io_);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_LE(kept.size(), 65u);
  }
  EXPECT_LT(OpenDescriptors().size() - before, 120u);
  // With half of the window it would be woken.
  EXPECT_GT(Info(reader_).reading.in_flight, 128u * 1024);
  std::vector<DescriptorsReceived> let_go;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    keeps = false;
    let_go.swap(kept);
  }
  let_go.clear();
  ASSERT_TRUE(read_->WaitFor("all"));
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(most, 65u);
}

// -- another process ----------------------------------------------------------

class OtherProcessTest : public StreamDescriptorsTest {
 protected:
  // Does `body` in a forked process, then waits to be killed. Our side of
  // theirs_ is closed.
  void Fork(const std::function<void()>& body) {
    Ends ready = MakePipe();
    child_ = fork();
    if (child_ == 0) {
      close(ours_.get());
      close(pipe_.second.get());
      body();
      WriteFully(ready.second, "!");
      for (;;) pause();
    }
    theirs_.Close();
    EXPECT_EQ(ReadFully(ready.first, 1), "!");
  }
  void Kill() {
    kill(child_, SIGKILL);
    EXPECT_EQ(waitpid(child_, nullptr, 0), child_);
  }

  pid_t child_ = -1;
};

TEST_F(OtherProcessTest, ClosesEverythingWhenAPeerThatDoesNotReadIsKilled) {
  Fork([] {});
  OpenWriter();
  // Until the socket is full, and then some.
  while (!Info(writer_).writing.paused) {
    caf::anon_send(writer_, WriteDescriptors{Bytes("x"), Tickets(2)});
  }
  Kill();
  ASSERT_TRUE(trace_->WaitForPrefix("CL("));
  ExpectAllClosed();
}

TEST_F(OtherProcessTest, HasWhatAPeerPassedBeforeItWasKilled) {
  Fork([this] {
    for (int i = 0; i < 3; ++i) {
      const Ends ends = MakePipe();
      WriteFully(ends.second, absl::StrCat("from pipe ", i));
      PassPlainly(theirs_, absl::StrCat(i), {ends.first.get()});
    }
  });
  Kill();
  theirs_ = std::move(ours_);
  OpenReader();
  ASSERT_TRUE(read_->WaitFor("CL"));
  EXPECT_THAT(read_->events(),
              ElementsAre("CM", "FD(1)@0", "DR 0", "FD(1)@1", "DR 1", "FD(1)@2",
                          "DR 2", "EOF", "CL"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ReadFully(kept_.at(i), 100), absl::StrCat("from pipe ", i));
  }
}

}  // namespace
}  // namespace troupe
