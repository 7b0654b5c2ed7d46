#include "io/transfer.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "io/thread_mask.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class TransferTest : public LeakCheckedTest {
 protected:
  TransferResult Read(const OwnedFd& fd, DescriptorKind kind) {
    return ReadSome(fd.get(), kind, absl::MakeSpan(room_));
  }
  TransferResult Write(const OwnedFd& fd, DescriptorKind kind) {
    iovec pieces[] = {{room_, 3}, {room_ + 3, 2}};
    return WriteSome(fd.get(), kind, pieces);
  }
  char room_[16] = {'0', '1', '2', '3', '4'};
};

TEST_F(TransferTest, MovesBytesBothWays) {
  auto [in, out] = MakePipe();
  EXPECT_EQ(Write(out, DescriptorKind::kFifo).size, 5u);
  room_[0] = 0;
  TransferResult got = Read(in, DescriptorKind::kFifo);
  EXPECT_TRUE(got.ok());
  EXPECT_EQ(std::string(room_, got.size), "01234");
}

TEST_F(TransferTest, GivesTheEndAsAValue) {
  auto [in, out] = MakePipe();
  out.Close();
  TransferResult got = Read(in, DescriptorKind::kFifo);
  EXPECT_TRUE(got.ok());
  EXPECT_EQ(got.size, 0u);
}

TEST_F(TransferTest, GivesWouldBlockAsAValue) {
  auto [in, out] = MakePipe();
  SetNonBlocking(in);
  SetNonBlocking(out);
  EXPECT_TRUE(Read(in, DescriptorKind::kFifo).would_block);
  Fill(out);
  TransferResult put = Write(out, DescriptorKind::kFifo);
  EXPECT_TRUE(put.would_block);
  EXPECT_FALSE(put.ok());
  EXPECT_EQ(put.error_number, 0);
}

TEST_F(TransferTest, NeverAsksASocketToBlock) {
  auto [ours, theirs] = MakeSocketPair();
  EXPECT_TRUE(Read(ours, DescriptorKind::kStreamSocket).would_block);
  Fill(ours);
  EXPECT_TRUE(Write(ours, DescriptorKind::kStreamSocket).would_block);
  EXPECT_FALSE(IsNonBlocking(ours));
}

// Row W28. The mask shows that no SIGPIPE was raised, rather than ignored.
TEST_F(TransferTest, RaisesNoSigpipeOnASocket) {
  BlockAllSignals mask;
  auto [ours, theirs] = MakeSocketPair();
  theirs.Close();
  EXPECT_EQ(Write(ours, DescriptorKind::kStreamSocket).error_number, EPIPE);
  sigset_t pending;
  sigpending(&pending);
  EXPECT_FALSE(sigismember(&pending, SIGPIPE));
}

TEST_F(TransferTest, GivesErrorsByNumber) {
  auto [in, out] = MakePipe();
  EXPECT_EQ(Read(out, DescriptorKind::kFifo).error_number, EBADF);
  EXPECT_FALSE(Read(out, DescriptorKind::kFifo).ok());
}

// Row R7: the read blocks, is interrupted again and again, and goes on.
TEST_F(TransferTest, GoesOnAfterASignal) {
  static const OwnedFd* peer;
  static int left;
  auto [in, out] = MakePipe();
  peer = &out;
  left = 5;
  struct sigaction previous, handler = {};
  handler.sa_handler = [](int) {
    if (--left == 0) (void)!write(peer->get(), "x", 1);
  };
  sigaction(SIGALRM, &handler, &previous);
  itimerval often = {{0, 1000}, {0, 1000}}, never = {};
  setitimer(ITIMER_REAL, &often, nullptr);
  TransferResult got = Read(in, DescriptorKind::kFifo);
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &previous, nullptr);
  EXPECT_EQ(got.size, 1u);
  EXPECT_LE(left, 0);
}

}  // namespace
}  // namespace troupe
