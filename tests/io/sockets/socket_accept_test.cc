// One accept of a listening socket (rows U19, V41, A27).
#include "io/sockets/socket_accept.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "tests/io/sockets/full_descriptor_table.h"
#include "tests/support/accept_errors.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

class SocketAcceptTest : public LeakCheckedTest {
 protected:
  OwnedFd Connected() {
    OwnedFd client = NonBlockingSocket(AF_UNIX);
    EXPECT_EQ(connect(client.get(), address_.data(), address_.size()), 0);
    return client;
  }

  const SocketAddress address_ = FreshAddress();
  const OwnedFd listener_ = ListenAt(address_);
};

TEST_F(SocketAcceptTest, GivesNothingWhenNobodyWaits) {
  auto accepted = AcceptConnection(listener_.get());
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_FALSE(accepted->has_value());
}

// Row U19.
TEST_F(SocketAcceptTest, GivesNonBlockingSocketsThatNoProgramInherits) {
  OwnedFd client = Connected();
  auto accepted = AcceptConnection(listener_.get());
  ASSERT_TRUE(accepted.ok() && accepted->has_value()) << accepted.status();
  EXPECT_TRUE(IsNonBlocking((*accepted)->fd));
  EXPECT_EQ(fcntl((*accepted)->fd.get(), F_GETFD), FD_CLOEXEC);
}

// Row U19.
TEST_F(SocketAcceptTest, SaysWhoConnected) {
  const SocketAddress name = FreshAddress();
  OwnedFd bound = NonBlockingSocket(AF_UNIX);
  ASSERT_EQ(bind(bound.get(), name.data(), name.size()), 0);
  ASSERT_EQ(connect(bound.get(), address_.data(), address_.size()), 0);
  OwnedFd unbound = Connected();
  EXPECT_EQ((*AcceptConnection(listener_.get()))->peer.path(), name.path());
  EXPECT_EQ((*AcceptConnection(listener_.get()))->peer.path(), "");
}

// Row V41.
TEST_F(SocketAcceptTest, PassesOverWhatWasGivenUpOrInterrupted) {
  OwnedFd client = Connected();
  AcceptErrors errors({ECONNABORTED, EINTR, ECONNABORTED});
  auto accepted = AcceptConnection(listener_.get());
  ASSERT_TRUE(accepted.ok() && accepted->has_value()) << accepted.status();
  EXPECT_EQ(errors.left(), 0u);
}

// Row A27.
TEST_F(SocketAcceptTest, IsOutOfResourcesInAFullDescriptorTable) {
  OwnedFd client = Connected();
  absl::Status full;
  {
    FullDescriptorTable table;
    full = AcceptConnection(listener_.get()).status();
  }
  EXPECT_EQ(OsFailureOf(full)->error_number, EMFILE);
  EXPECT_TRUE(IsOutOfResources(full));
  EXPECT_TRUE(AcceptConnection(listener_.get())->has_value());
}

// Row A27.
TEST_F(SocketAcceptTest, TellsLackOfResourcesFromOtherErrors) {
  for (int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    AcceptErrors errors({error});
    EXPECT_TRUE(IsOutOfResources(AcceptConnection(listener_.get()).status()));
  }
  EXPECT_FALSE(IsOutOfResources(AcceptConnection(-1).status()));
  EXPECT_FALSE(IsOutOfResources(absl::InternalError("another")));
  EXPECT_FALSE(IsOutOfResources(absl::OkStatus()));
}

}  // namespace
}  // namespace troupe
