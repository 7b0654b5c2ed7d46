// What is the end of a FIFO or of a terminal, whose other end may be opened
// again (rows R8, R20, A24).
#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/read_transport.h"
#include "tests/io/read_transport_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/home.h"
#include "tests/support/io_fixture.h"
#include "tests/support/scratch_folder.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

class ReadHangUpTest : public ReadTransportFixture {
 protected:
  std::string NewFifo() {
    std::string path = folder_.PathOf("fifo");
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return path;
  }

 private:
  const ScratchFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Homes, ReadHangUpTest, EveryHome(), NameOfHome);

// Golden trace "read pipe, pty slave closed"; row R8.
TEST_P(ReadHangUpTest, TellsTheErrorOfAHungUpTerminalAndNoEof) {
  auto [slave, master] = MakeTerminal();
  Reading(std::move(master));
  WriteFully(slave, "abc");
  ASSERT_TRUE(trace_->WaitFor("DR(3)"));
  slave.Close();
  std::string lost =
      absl::StrCat("CL(read \"fd ", number_, "\": Input/output error)");
  ASSERT_TRUE(trace_->WaitFor(lost));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(3)", lost));
}

// Row R20: no event before the first writer, an end with the last one.
TEST_P(ReadHangUpTest, WaitsForTheFirstWriterOfAFifo) {
  const std::string path = NewFifo();
  Reading(OwnedFd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)));
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("CM"));
  OwnedFd writer(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  WriteFully(writer, "x");
  ASSERT_TRUE(trace_->WaitFor("DR(1)"));
  writer.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(1)", "EOF", "CL(None)"));
}

// Row R20: opened for both it never ends.
TEST_P(ReadHangUpTest, OutlastsTheWritersOfAFifoThatItMayWrite) {
  const std::string path = NewFifo();
  Reading(OwnedFd(open(path.c_str(), O_RDWR | O_CLOEXEC)));
  for (int i = 1; i <= 2; ++i) {
    OwnedFd writer(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    WriteFully(writer, std::string(i, 'x'));
    writer.Close();
    ASSERT_TRUE(trace_->WaitFor(absl::StrCat("DR(", i, ")")));
  }
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(1)", "DR(2)"));
}

// Row A24: however often its last writer goes, and whatever it had to say.
TEST_P(ReadHangUpTest, OutlastsTheWritersOfAFifoWhenItIsToldTo) {
  const std::string path = NewFifo();
  ReadTransport transport =
      Reading(OwnedFd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)),
              {}, {.outlast_writers = true});
  std::string sent;
  for (int i = 1; i <= 50; ++i) {
    OwnedFd writer(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    ASSERT_TRUE(writer.valid()) << "nobody reads";
    const std::string text(i % 5, 'x');  // one in five says nothing
    WriteFully(writer, text);
    sent += text;
    // In every order of the end and what is read before it.
    if (i % 2 == 0) {
      while (!HasFailure() && Info(transport).reading.delivered < sent.size()) {
      }
    }
    writer.Close();
    if (i % 3 == 0) WaitForIteration(*io_);
  }
  while (!HasFailure() && Info(transport).reading.delivered < sent.size()) {
  }
  WaitForIteration(*io_);
  EXPECT_TRUE(Info(transport).reading.polling);
  EXPECT_EQ(trace_->Count("EOF"), 0u);
  caf::anon_send(transport, CloseTransport{});
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_EQ(received_, sent);
}

// Row A24: poll(2) would report the end of the last writer without end.
TEST_P(ReadHangUpTest, RefusesToOutlastWritersWhereItMayBlock) {
  IoThread::Options options;
  options.selector = SelectorKind::kPoll;
  auto thread = IoThread::Start(*system_, std::move(options));
  ASSERT_TRUE(thread.ok()) << thread.status();
  auto [in, out] = MakePipe();
  const int number = in.get();
  EXPECT_EQ(Connect(SpawnReadTransport((*thread)->host(), (*thread)->actor(),
                                       {.outlast_writers = true}),
                    std::move(in), Protocol()),
            absl::StrCat("fd ", number,
                         ": its writers cannot be outlasted on a thread that "
                         "may block"));
  EXPECT_THAT(trace_->events(), ElementsAre());
}

// Row A24; R8 says what it is otherwise.
TEST_P(ReadHangUpTest, TakesTheHangUpOfATerminalForItsEndWhenItIsToldTo) {
  auto [slave, master] = MakeTerminal();
  Reading(std::move(master), {}, {.hang_up_is_end = true});
  WriteFully(slave, "abc");
  ASSERT_TRUE(trace_->WaitFor("DR(3)"));
  slave.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(3)", "EOF", "CL(None)"));
}

}  // namespace
}  // namespace troupe
