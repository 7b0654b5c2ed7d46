// A read transport whose protocol lives on a worker or on the I/O thread.
#ifndef TROUPE_TESTS_IO_READ_TRANSPORT_FIXTURE_H_
#define TROUPE_TESTS_IO_READ_TRANSPORT_FIXTURE_H_

#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "io/io_messages.h"
#include "io/owned_fd.h"
#include "io/read_transport.h"
#include "tests/support/home.h"
#include "tests/support/io_fixture.h"

namespace troupe {

class ReadTransportFixture : public IoTest,
                             public ::testing::WithParamInterface<Home> {
 protected:
  ReadProtocol Protocol(ProtocolScript script = {}) {
    return GetParam() == Home::kWorker ? NewReadProtocol(std::move(script))
                                       : NewResidentReadProtocol(script);
  }
  ReadTransport Reading(OwnedFd fd, ProtocolScript script = {},
                        ReadTransportOptions options = {}) {
    ReadTransport transport = SpawnReadTransport(host(), io(), options);
    number_ = fd.get();
    EXPECT_EQ(Connect(transport, std::move(fd), Protocol(script)), "");
    return transport;
  }
  // What a connect is refused with.
  std::string Refusal(OwnedFd fd) {
    return Connect(SpawnReadTransport(host(), io()), std::move(fd), Protocol());
  }
  int number_ = -1;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_READ_TRANSPORT_FIXTURE_H_
