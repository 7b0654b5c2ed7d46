#include "io/transport_info.h"

#include "gtest/gtest.h"

namespace troupe {
namespace {

using Kind = TransportInfo::Kind;

TransportInfo Connected(Kind kind, int fd) {
  return {.kind = kind,
          .fd = fd,
          .closing = false,
          .closed = false,
          .reading = {},
          .writing = {}};
}

// Row R18.
TEST(TransportInfoTest, WritesAReaderAsAsyncioDoes) {
  TransportInfo info = Connected(Kind::kRead, 11);
  EXPECT_EQ(ToString(info), "<ReadTransport fd=11 idle>");
  info.reading.polling = true;
  EXPECT_EQ(ToString(info), "<ReadTransport fd=11 polling>");
  info.closing = true;
  EXPECT_EQ(ToString(info), "<ReadTransport closing fd=11 polling>");
  info.closed = true;
  EXPECT_EQ(ToString(info), "<ReadTransport closed fd=11 closed>");
}

// Row W25.
TEST(TransportInfoTest, WritesAWriterAsAsyncioDoes) {
  TransportInfo info = Connected(Kind::kWrite, 12);
  EXPECT_EQ(ToString(info), "<WriteTransport fd=12 idle bufsize=0>");
  info.writing.polling = true;
  info.writing.buffered = 4096;
  EXPECT_EQ(ToString(info), "<WriteTransport fd=12 polling bufsize=4096>");
  info.closing = true;
  EXPECT_EQ(ToString(info),
            "<WriteTransport closing fd=12 polling bufsize=4096>");
  info.closed = true;
  EXPECT_EQ(ToString(info), "<WriteTransport closed fd=12 closed>");
}

// Row U25.
TEST(TransportInfoTest, WritesAStreamAsAsyncioDoes) {
  TransportInfo info = Connected(Kind::kStream, 7);
  info.reading.polling = true;
  EXPECT_EQ(ToString(info),
            "<StreamTransport fd=7 read=polling write=<idle, bufsize=0>>");
  info.reading.polling = false;
  info.writing.polling = true;
  info.writing.buffered = 5;
  EXPECT_EQ(ToString(info),
            "<StreamTransport fd=7 read=idle write=<polling, bufsize=5>>");
  info.closing = info.closed = true;
  EXPECT_EQ(ToString(info), "<StreamTransport closed fd=7>");
}

// asyncio has none: there a transport is made with its descriptor.
TEST(TransportInfoTest, SaysThatATransportIsNotConnectedYet) {
  EXPECT_EQ(ToString(TransportInfo()), "<ReadTransport unconnected>");
  TransportInfo info;
  info.closing = info.closed = true;
  EXPECT_EQ(ToString(info), "<ReadTransport closed>");
}

}  // namespace
}  // namespace troupe
