// Standard streams that are files or devices, on which no selector waits.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/standard_streams.h"
#include "io/write_transport.h"
#include "tests/io/standard_streams_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StandardFilesTest : public StandardStreamsFixture {
 protected:
  void WriteAll(const WriteTransport& transport, std::string text) {
    caf::anon_send(transport, Write{Bytes(std::move(text)), {}});
    caf::anon_send(transport, WriteEof{});
    ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  }
};

// Row A22.
TEST_F(StandardFilesTest, ReadsAFileFromItsOffsetAndMovesIt) {
  OwnedFd file = MakeFile("headertail", O_RDONLY);
  ASSERT_EQ(lseek(file.get(), 6, SEEK_SET), 6);
  InheritedStream stream = Input(file);
  EXPECT_TRUE(stream.has_own_thread());
  Read(stream);
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "DR(4)", "EOF", "CL(None)"));
  EXPECT_EQ(received_, "tail");
  EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 10);
}

// Row A22.
TEST_F(StandardFilesTest, ReadsTheEndFromDevNull) {
  OwnedFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  InheritedStream stream = Input(null);
  EXPECT_TRUE(stream.has_own_thread());
  Read(stream);
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "EOF", "CL(None)"));
}

TEST_F(StandardFilesTest, CarriesABigFileThroughInOrder) {
  constexpr size_t kSize = 200 << 20;
  constexpr size_t kStep = 1 << 20;
  OwnedFd file = MakeFile("", O_RDWR);
  ASSERT_EQ(ftruncate(file.get(), kSize), 0);
  for (uint64_t at = 0; at < kSize; at += kStep) {
    ASSERT_EQ(pwrite(file.get(), &at, sizeof at, at), 8);
  }
  InheritedStream stream = Input(file);
  size_t position = 0, marks = 0;
  ProtocolScript script;
  script.forget = true;
  script.data = [&](DataReceived& data) {
    if (position % kStep == 0 && data.bytes.size() >= 8) {
      uint64_t mark;
      std::copy_n(data.bytes.data(), 8, reinterpret_cast<char*>(&mark));
      marks += mark == position;
    }
    position += data.bytes.size();
  };
  Read(stream, script);
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  EXPECT_EQ(position, kSize);
  EXPECT_EQ(marks, kSize / kStep);
}

// Row A22.
TEST_F(StandardFilesTest, WritesAFileFromItsOffsetAndMovesIt) {
  OwnedFd file = MakeFile("", O_RDWR);
  ASSERT_EQ(write(file.get(), "one ", 4), 4);
  InheritedStream stream = Output(file);
  EXPECT_TRUE(stream.has_own_thread());
  WriteAll(Writer(stream), "two ");
  ASSERT_EQ(write(file.get(), "three", 5), 5);
  EXPECT_EQ(ContentOf(file), "one two three");
}

// Row A22.
TEST_F(StandardFilesTest, WritesToDevNull) {
  OwnedFd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  InheritedStream stream = Output(null);
  EXPECT_TRUE(stream.has_own_thread());
  WriteAll(Writer(stream), "gone");
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "CL(None)"));
}

TEST_F(StandardFilesTest, AppendsWhereTheFileAppends) {
  OwnedFd file = MakeFile("log: ", O_RDWR | O_APPEND);
  InheritedStream stream = Output(file);
  WriteAll(Writer(stream), "entry");
  EXPECT_EQ(ContentOf(file), "log: entry");
}

TEST_F(StandardFilesTest, SaysThatTheDeviceIsFull) {
  OwnedFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  InheritedStream stream = Output(full);
  WriteTransport transport = Writer(stream);
  caf::anon_send(transport, Write{Bytes::Copy("x"), {}});
  ASSERT_TRUE(
      trace_->WaitUntil([](const auto& seen) { return seen.size() == 2; }));
  EXPECT_THAT(trace_->events()[1], HasSubstr("No space left on device"));
}

}  // namespace
}  // namespace troupe
