// Transports of streams that are taken for inherited ones.
#ifndef TROUPE_TESTS_IO_STANDARD_STREAMS_FIXTURE_H_
#define TROUPE_TESTS_IO_STANDARD_STREAMS_FIXTURE_H_

#include <utility>

#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "io/read_transport.h"
#include "io/standard_streams.h"
#include "io/write_transport.h"
#include "tests/support/io_fixture.h"

namespace troupe {

class StandardStreamsFixture : public IoTest {
 protected:
  InheritedStream Input(const OwnedFd& fd) {
    auto stream = InheritedStream::OpenInput(*system_, *io_, fd.get());
    EXPECT_TRUE(stream.ok()) << stream.status();
    return *std::move(stream);
  }
  InheritedStream Output(const OwnedFd& fd) {
    auto stream = InheritedStream::OpenOutput(*system_, *io_, fd.get());
    EXPECT_TRUE(stream.ok()) << stream.status();
    return *std::move(stream);
  }
  ReadTransport Read(const InheritedStream& stream,
                     ProtocolScript script = {}) {
    ReadTransport transport =
        SpawnReadTransport(stream.thread().host(), stream.thread().actor());
    EXPECT_EQ(Connect(transport, stream.ticket(), NewReadProtocol(script)), "");
    return transport;
  }
  WriteTransport Writer(const InheritedStream& stream) {
    WriteTransport transport =
        SpawnWriteTransport(stream.thread().host(), stream.thread().actor());
    EXPECT_EQ(Connect(transport, stream.ticket(), NewWriteProtocol()), "");
    return transport;
  }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_STANDARD_STREAMS_FIXTURE_H_
