// Reader and writer over real connections (rows U32, A4, A30).
#include "io/framing/frame_reader.h"

#include <unistd.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/event_based_actor.hpp"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/owned_fd.h"
#include "io/read_transport.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"
#include "io/status_error.h"
#include "tests/support/descriptors.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/stream_fixture.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using Kind = Frame::Kind;

class FrameReaderTest : public StreamTest {
 protected:
  using IoTest::Connect;
  using StreamTest::Connect;

  // A connection of which the test has the other end.
  void Open(size_t limit = kDefaultFrameLimit) {
    auto [ours, theirs] = MakeSocketPair();
    theirs_ = std::move(theirs);
    reader_ = SpawnFrameReader(host(), limit);
    writer_ = SpawnStreamTransport(host(), io());
    EXPECT_EQ(Connect(writer_, std::move(ours), reader_, AfterEof::kHalfOpen),
              "");
  }

  // The bytes, with their kind if they are not a whole frame; or the error.
  template <class Request>
  std::future<std::string> Ask(const FrameReader& reader, Request request) {
    auto text = std::make_shared<std::promise<std::string>>();
    auto future = text->get_future();
    system_->spawn<caf::hidden>([=](caf::event_based_actor* self) {
      self->request(reader, caf::infinite, request)
          .then(
              [text](const Frame& frame) {
                const char* kind = frame.kind == Kind::kComplete     ? ""
                                   : frame.kind == Kind::kIncomplete ? "cut "
                                   : frame.kind == Kind::kTooLong    ? "long "
                                                                     : "end ";
                text->set_value(kind + frame.bytes.ToString());
              },
              [text](const caf::error& why) {
                text->set_value(
                    absl::StrCat("error: ", StatusOf(why).message()));
              });
    });
    return future;
  }
  std::string Read() { return Ask(reader_, ReadLine{}).get(); }

  OwnedFd theirs_;
  FrameReader reader_;
  StreamTransport writer_;
};

// Row U32.
TEST_F(FrameReaderTest, IsAskedForLinesAndBytes) {
  Open();
  WriteFully(theirs_, "one\ntwo--xyzrest");
  EXPECT_EQ(Read(), "one");
  EXPECT_EQ(Ask(reader_, ReadUntil{"--"}).get(), "two");
  EXPECT_EQ(Ask(reader_, ReadExactly{3}).get(), "xyz");
  EXPECT_EQ(Ask(reader_, ReadAvailable{}).get(), "rest");
  theirs_.Close();
  EXPECT_EQ(Read(), "cut ");
  EXPECT_EQ(Read(), "cut ");
}

// Row A4.
TEST_F(FrameReaderTest, GivesALineOverItsLimitInPartsAndGoesOn) {
  Open(/*limit=*/4);
  WriteFully(theirs_, "0123456\nok\n");
  EXPECT_EQ(Read(), "long 01234");
  EXPECT_EQ(Read(), "end 56\n");
  EXPECT_EQ(Read(), "ok");
}

// Row A30: each gets a line, whoever asked first the first one.
TEST_F(FrameReaderTest, AnswersEverybodyWhoWaits) {
  Open();
  std::vector<std::future<std::string>> waiting;
  for (int i = 0; i < 5; ++i) waiting.push_back(Ask(reader_, ReadLine{}));
  std::string sent;
  for (int i = 0; i < 5; ++i) absl::StrAppend(&sent, i, "\n");
  WriteFully(theirs_, sent);
  std::vector<std::string> got;
  for (auto& line : waiting) got.push_back(line.get());
  EXPECT_THAT(got, ::testing::UnorderedElementsAre("0", "1", "2", "3", "4"));
}

// The peer is held up by who does not read, and nothing of it is lost.
TEST_F(FrameReaderTest, HoldsThePeerUpUntilItIsAsked) {
  Open();
  SetNonBlocking(theirs_);
  const std::string line = std::string(999, 'x') + "\n";
  size_t sent = 0;
  for (int idle = 0; idle < 10; ++idle) {
    while (write(theirs_.get(), line.data(), line.size()) ==
           static_cast<ssize_t>(line.size())) {
      sent += line.size();
      idle = 0;
    }
    WaitForIteration(*io_);
  }
  EXPECT_LT(sent, 1 << 20);
  EXPECT_LE(Info(writer_).reading.in_flight, (256 + 65) * 1024u);
  theirs_.Close();
  size_t got = 0;
  std::string last;
  while ((last = Read()) == line.substr(0, 999)) got += line.size();
  EXPECT_EQ(last.rfind("cut ", 0), 0u);
  got += last.size() - 4;
  EXPECT_GE(got, sent);  // the last line was written in part
  EXPECT_LT(got, sent + line.size());
}

// Row U32, start_unix_server and open_unix_connection: reader and writer on
// both sides.
TEST_F(FrameReaderTest, ServesClientsWithReaderAndWriter) {
  const ScratchFolder folder;
  const std::string path = folder.PathOf("socket");
  UnixServerOptions options;
  options.after_eof = AfterEof::kHalfOpen;
  options.new_protocol = [&](const StreamTransport& writer) {
    FrameReader reader = SpawnFrameReader(host());
    system_->spawn<caf::hidden>([=](caf::event_based_actor* self) {
      self->request(reader, caf::infinite, ReadLine{})
          .then([=](const Frame& line) {
            caf::anon_send(writer, Write{Bytes("you said "), {}});
            caf::anon_send(writer, Write{line.bytes, {}});
            caf::anon_send(writer, Write{Bytes("\n"), {}});
            caf::anon_send(writer, CloseTransport{});
          });
    });
    return reader;
  };
  auto listener = UnixListener::Bind({.path = path});
  ASSERT_TRUE(listener.ok()) << listener.status();
  UnixServer server =
      SpawnUnixServer(host(), io(), *std::move(listener), std::move(options));
  ASSERT_EQ(Answer<Serving>(server, StartServing{}), "");
  for (const char* word : {"hello", "again"}) {
    FrameReader reader = SpawnFrameReader(host());
    StreamTransport writer = SpawnStreamTransport(host(), io());
    ASSERT_EQ(Answer<Connected>(
                  writer, ConnectUnix{.address = *SocketAddress::Unix(path),
                                      .protocol = reader,
                                      .after_eof = AfterEof::kHalfOpen}),
              "");
    EXPECT_EQ(
        Answer<Drained>(writer, Write{Bytes(absl::StrCat(word, "\n")), {}}),
        "");
    EXPECT_EQ(Ask(reader, ReadLine{}).get(), absl::StrCat("you said ", word));
    EXPECT_EQ(Ask(reader, ReadLine{}).get(), "cut ");
    caf::anon_send(writer, CloseTransport{});
  }
  ASSERT_EQ(Answer<ServerClosed>(server, DrainServer{}), "");
}

// The protocol of a pipe, too.
TEST_F(FrameReaderTest, ReadsAPipe) {
  auto [in, out] = MakePipe();
  FrameReader reader = SpawnFrameReader(host());
  ReadTransport transport = SpawnReadTransport(host(), io());
  ASSERT_EQ(Connect(transport, std::move(in), ReadProtocol(reader)), "");
  WriteFully(out, "line\nrest");
  out.Close();
  EXPECT_EQ(Ask(reader, ReadLine{}).get(), "line");
  EXPECT_EQ(Ask(reader, ReadLine{}).get(), "cut rest");
}

// Row H19.
TEST_F(FrameReaderTest, TellsWhoWaitsWhyThereIsNoMore) {
  Open();
  auto line = Ask(reader_, ReadLine{});
  WaitForIteration(*io_);
  caf::anon_send_exit(writer_, caf::exit_reason::user_shutdown);
  EXPECT_THAT(line.get(), HasSubstr("user_shutdown"));
}

TEST_F(FrameReaderTest, TellsWhoWaitsWhenItIsKilled) {
  Open();
  auto line = Ask(reader_, ReadLine{});
  WriteFully(theirs_, "begun");
  while (Info(writer_).reading.delivered < 5) {
  }
  caf::anon_send_exit(reader_, caf::exit_reason::kill);
  EXPECT_THAT(line.get(), ::testing::AnyOf("cut begun", HasSubstr("error: ")));
  EXPECT_EQ(ReadFully(theirs_, 1), "");  // the transport closes
}

// A plain message could not be answered, and its line would be lost.
TEST_F(FrameReaderTest, TakesNothingForAPlainMessage) {
  Open();
  caf::anon_send(reader_, ReadLine{});
  WriteFully(theirs_, "one\n");
  EXPECT_EQ(Read(), "one");
}

}  // namespace
}  // namespace troupe
