// Descriptors through a UNIX socket (row A25).
#include "io/sockets/descriptor_passing.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/transfer.h"
#include "tests/io/sockets/full_descriptor_table.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class DescriptorPassingTest : public LeakCheckedTest {
 protected:
  DescriptorPassingTest() { Connect(SOCK_STREAM); }

  void Connect(int type) { std::tie(in_, out_) = MakeSocketPair(type); }

  TransferResult Send(const std::string& text, absl::Span<const int> fds) {
    const iovec piece = {const_cast<char*>(text.data()), text.size()};
    return SendWithDescriptors(out_.get(), {&piece, 1}, fds);
  }
  // What came; the descriptors are in got_.
  std::string Receive(size_t room = 4096) {
    std::string text(room, '\0');
    last_ = ReceiveWithDescriptors(in_.get(), absl::MakeSpan(text), got_);
    return Checked(std::move(text));
  }
  // With room for `more` descriptors in the table.
  std::string ReceiveWithFullTable(int more) {
    std::string text(4096, '\0');
    {
      FullDescriptorTable table(more);
      last_ = ReceiveWithDescriptors(in_.get(), absl::MakeSpan(text), got_);
    }
    return Checked(std::move(text));
  }
  std::string Checked(std::string text) {
    EXPECT_TRUE(last_.bytes.ok()) << last_.bytes.error_number;
    text.resize(last_.bytes.size);
    return text;
  }
  // The same file under `count` numbers.
  std::vector<int> Many(size_t count) {
    return std::vector<int>(count, ends_.first.get());
  }
  static bool IsTheSameFile(const OwnedFd& one, const OwnedFd& other) {
    struct stat first = {}, second = {};
    fstat(one.get(), &first);
    fstat(other.get(), &second);
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
  }

  OwnedFd in_, out_;
  Ends ends_ = MakePipe();
  std::vector<OwnedFd> got_;
  ReceiveResult last_;
};

TEST_F(DescriptorPassingTest, SaysThatOnlyUnixSocketsPassThem) {
  EXPECT_TRUE(CheckPassesDescriptors(in_.get()).ok());
  const std::pair<int, const char*> others[] = {
      {AF_INET, "an IPv4 socket"},
      {AF_INET6, "an IPv6 socket"},
      {AF_VSOCK, "a vsock socket"},
      {AF_NETLINK, "a socket of family 16"}};
  for (const auto& [family, name] : others) {
    const int type = family == AF_NETLINK ? SOCK_RAW : SOCK_STREAM;
    const OwnedFd other(socket(family, type | SOCK_CLOEXEC, 0));
    if (!other.valid()) continue;  // the kernel has no such sockets
    EXPECT_EQ(CheckPassesDescriptors(other.get()),
              absl::InvalidArgumentError(
                  absl::StrCat("descriptors go over UNIX sockets only, fd ",
                               other.get(), " is ", name)));
  }
  EXPECT_EQ(OsFailureOf(CheckPassesDescriptors(ends_.first.get()))
                .value()
                .error_number,
            ENOTSOCK);
}

TEST_F(DescriptorPassingTest, PassesDescriptorsInOrderBesideTheBytes) {
  TransferResult sent =
      Send("both", {ends_.first.get(), ends_.second.get(), 0});
  EXPECT_EQ(sent.size, 4u);
  EXPECT_EQ(Receive(), "both");
  ASSERT_EQ(got_.size(), 3u);
  EXPECT_TRUE(IsTheSameFile(got_[0], ends_.first));
  WriteFully(got_[1], "through");
  EXPECT_EQ(ReadFully(ends_.first, 7), "through");
  for (const OwnedFd& fd : got_) {
    EXPECT_EQ(fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
  }
  EXPECT_FALSE(last_.descriptors_lost);
  EXPECT_FALSE(last_.message_cut);
}

TEST_F(DescriptorPassingTest, KeepsWhatTheCallerHasClosedUnderWay) {
  Send("x", {ends_.second.get()});
  ends_.second.Close();
  EXPECT_EQ(Receive(), "x");
  WriteFully(got_.at(0), "!");
  EXPECT_EQ(ReadFully(ends_.first, 1), "!");
}

TEST_F(DescriptorPassingTest, MovesPlainBytesToo) {
  const std::string one = "one ", two = "two";
  const iovec pieces[] = {{const_cast<char*>(one.data()), one.size()},
                          {const_cast<char*>(two.data()), two.size()}};
  EXPECT_EQ(SendWithDescriptors(out_.get(), pieces, {}).size, 7u);
  EXPECT_EQ(Receive(), "one two");
  EXPECT_TRUE(got_.empty());
}

TEST_F(DescriptorPassingTest, AppendsToWhatIsThere) {
  Send("a", Many(1));
  Receive();
  Send("b", Many(2));
  Receive();
  EXPECT_EQ(got_.size(), 3u);
}

// As the header says: with bytes before, never with bytes after.
TEST_F(DescriptorPassingTest, BringsNothingThatWasSentLater) {
  Send("before ", {});
  Send("with", Many(1));
  Send("after", {});
  Send("again", Many(2));
  std::string text = Receive();
  EXPECT_EQ(got_.size(), 1u);
  EXPECT_EQ(text, "before with");
  EXPECT_EQ(Receive(), "afteragain");
  EXPECT_EQ(got_.size(), 3u);
}

TEST_F(DescriptorPassingTest, BringsThemWithTheFirstByte) {
  Send("long", Many(2));
  EXPECT_EQ(Receive(1), "l");
  EXPECT_EQ(got_.size(), 2u);
  EXPECT_EQ(Receive(), "ong");
  EXPECT_EQ(got_.size(), 2u);
}

TEST_F(DescriptorPassingTest, SendsThemWithTheFirstPartOfALongMessage) {
  const std::string much(8 << 20, 'm');
  TransferResult sent = Send(much, Many(1));
  ASSERT_TRUE(sent.ok());
  ASSERT_LT(sent.size, much.size());
  Receive();
  EXPECT_EQ(got_.size(), 1u);
  while (sent.size > 4096) sent.size -= Receive().size();
  EXPECT_EQ(got_.size(), 1u);
}

TEST_F(DescriptorPassingTest, PassesAsManyAsTheKernelTakes) {
  EXPECT_EQ(Send("x", Many(kMostDescriptors)).size, 1u);
  Receive();
  EXPECT_EQ(got_.size(), kMostDescriptors);
  EXPECT_FALSE(last_.descriptors_lost);
  EXPECT_EQ(Send("x", Many(kMostDescriptors + 1)).error_number, EINVAL);
  EXPECT_EQ(Send("x", Many(100000)).error_number, EINVAL);
}

TEST_F(DescriptorPassingTest, FindsRoomBesideWhatElseTheSocketTells) {
  const int on = 1;
  for (int option : {SO_PASSCRED, SO_TIMESTAMP, SO_PASSSEC, 76}) {
    setsockopt(in_.get(), SOL_SOCKET, option, &on, sizeof on);  // 76: PASSPIDFD
  }
  Send("x", Many(kMostDescriptors));
  Receive();
  EXPECT_EQ(got_.size(), kMostDescriptors);
  EXPECT_FALSE(last_.descriptors_lost);
}  // the pidfd, that nobody wants, is closed

TEST_F(DescriptorPassingTest, TakesThemOfSeveralHeaders) {
  char control[2 * CMSG_SPACE(sizeof(int))] = {};
  iovec piece = {const_cast<char*>("x"), 1};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  for (const OwnedFd* fd : {&ends_.first, &ends_.second}) {
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = fd->get();
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
    header = CMSG_NXTHDR(&message, header);
  }
  ASSERT_EQ(sendmsg(out_.get(), &message, 0), 1);
  Receive();
  EXPECT_EQ(got_.size(), 2u);
}

TEST_F(DescriptorPassingTest, SaysThatSomeWereLostAndLeaksNone) {
  Send("x", Many(10));
  EXPECT_EQ(ReceiveWithFullTable(4), "x");
  EXPECT_TRUE(last_.descriptors_lost);
  EXPECT_EQ(got_.size(), 4u);
  got_.clear();
  Send("x", Many(3));
  EXPECT_EQ(ReceiveWithFullTable(0), "x");
  EXPECT_TRUE(last_.descriptors_lost);
  EXPECT_TRUE(got_.empty());
}

TEST_F(DescriptorPassingTest, KeepsMessagesApart) {
  Connect(SOCK_SEQPACKET);
  Send("one", Many(1));
  Send("two", Many(2));
  EXPECT_EQ(Receive(), "one");
  EXPECT_EQ(got_.size(), 1u);
  EXPECT_EQ(Receive(2), "tw");
  EXPECT_TRUE(last_.message_cut);
  EXPECT_EQ(got_.size(), 3u);
}

TEST_F(DescriptorPassingTest, PassesThemWithAnEmptyMessage) {
  for (int type : {SOCK_SEQPACKET, SOCK_DGRAM}) {
    Connect(type);
    got_.clear();
    EXPECT_TRUE(Send("", Many(2)).ok());
    EXPECT_TRUE(SendWithDescriptors(out_.get(), {}, Many(1)).ok());
    EXPECT_EQ(Receive(), "");
    EXPECT_EQ(got_.size(), 2u);
    EXPECT_EQ(Receive(), "");
    EXPECT_EQ(got_.size(), 3u);
  }
}

// The kernel drops them without a word.
TEST_F(DescriptorPassingTest, RefusesDescriptorsWithoutAByteOnAStream) {
  EXPECT_EQ(Send("", Many(1)).error_number, EINVAL);
  EXPECT_EQ(SendWithDescriptors(out_.get(), {}, Many(1)).error_number, EINVAL);
  EXPECT_TRUE(Send("", {}).ok());
}

TEST_F(DescriptorPassingTest, RefusesToReceiveIntoNothing) {
  Send("x", Many(1));
  EXPECT_EQ(ReceiveWithDescriptors(in_.get(), {}, got_).bytes.error_number,
            EINVAL);
  EXPECT_EQ(Receive(), "x");
  EXPECT_EQ(got_.size(), 1u);
}

TEST_F(DescriptorPassingTest, SendsNothingWithADescriptorThatIsNotOpen) {
  EXPECT_EQ(Send("x", {ends_.first.get(), -1}).error_number, EBADF);
  int waiting = -1;
  EXPECT_EQ(ioctl(in_.get(), FIONREAD, &waiting), 0);
  EXPECT_EQ(waiting, 0);
}

// Blocking sockets, as the fixture makes them.
TEST_F(DescriptorPassingTest, NeverBlocks) {
  std::string room(1, '\0');
  EXPECT_TRUE(ReceiveWithDescriptors(in_.get(), absl::MakeSpan(room), got_)
                  .bytes.would_block);
  Fill(out_);
  EXPECT_TRUE(Send("x", Many(1)).would_block);
  EXPECT_FALSE(IsNonBlocking(out_));
}

TEST_F(DescriptorPassingTest, TellsTheEndAsNothing) {
  out_.Close();
  EXPECT_EQ(Receive(), "");
  EXPECT_FALSE(last_.descriptors_lost);
}

TEST_F(DescriptorPassingTest, TellsAClosedPeerWithoutASignal) {
  in_.Close();
  EXPECT_EQ(Send("x", Many(1)).error_number, EPIPE);
}

// What nobody receives is closed by the kernel with the socket.
TEST_F(DescriptorPassingTest, LeaksNothingThatNobodyReceived) {
  Send("x", {ends_.second.get()});
  ends_.second.Close();
  in_.Close();
  WaitForHangUp(ends_.first);
}

}  // namespace
}  // namespace troupe
