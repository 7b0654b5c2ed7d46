// Bytes that descriptors ride on, in a write queue (row A25).
#include "io/sockets/descriptor_piece.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/descriptor_passing.h"
#include "io/write_queue.h"
#include "tests/io/sockets/in_child.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

constexpr auto kStream = DescriptorKind::kStreamSocket;
constexpr auto kMessages = DescriptorKind::kMessageSocket;
constexpr size_t kMuch = 1 << 30;

class DescriptorPieceTest : public LeakCheckedTest {
 protected:
  DescriptorPieceTest() { std::tie(in_, out_) = MakeSocketPair(SOCK_STREAM); }

  // Write ends of pipe_'s, whose reader sees when the last is closed.
  std::vector<FdTicket> Tickets(size_t count) {
    std::vector<FdTicket> tickets;
    for (size_t i = 0; i < count; ++i) {
      tickets.emplace_back(OwnedFd(dup(pipe_.second.get())));
    }
    return tickets;
  }
  static std::unique_ptr<DescriptorPiece> Make(
      const std::string& text, absl::Span<const FdTicket> tickets,
      DescriptorKind kind = kStream) {
    auto piece =
        DescriptorPiece::Create(kind, Bytes::Copy(text), tickets, Credit());
    EXPECT_TRUE(piece.ok()) << piece.status();
    return *std::move(piece);
  }
  static std::string Refusal(const std::string& text,
                             absl::Span<const FdTicket> tickets) {
    return std::string(
        DescriptorPiece::Create(kStream, Bytes::Copy(text), tickets, Credit())
            .status()
            .message());
  }
  // What came; the descriptors are in got_.
  std::string Receive(size_t room = 4096) {
    std::string text(room, '\0');
    text.resize(ReceiveWithDescriptors(in_.get(), absl::MakeSpan(text), got_)
                    .bytes.size);
    return text;
  }
  // Whether nobody holds a write end any more.
  void ExpectAllClosed() {
    pipe_.second.Close();
    got_.clear();
    WaitForHangUp(pipe_.first);
  }

  OwnedFd in_, out_;
  Ends pipe_ = MakePipe();
  std::vector<OwnedFd> got_;
};

TEST_F(DescriptorPieceTest, ClosesThemWhenTheKernelHasThem) {
  std::vector<FdTicket> tickets = Tickets(3);
  auto piece = Make("text", tickets);
  EXPECT_EQ(tickets[0].number(), -1);
  EXPECT_EQ(piece->size(), 4 + 3 * kDescriptorCost);
  EXPECT_EQ(piece->Write(out_.get(), kStream, kMuch).size, 4u);
  EXPECT_TRUE(piece->over());
  EXPECT_EQ(piece->size(), 0u);
  EXPECT_EQ(Receive(), "text");
  EXPECT_EQ(got_.size(), 3u);
  ExpectAllClosed();
}

TEST_F(DescriptorPieceTest, SendsThemOnceWithTheFirstBytes) {
  auto piece = Make("0123456789", Tickets(2));
  EXPECT_EQ(piece->Write(out_.get(), kStream, 4).size, 4u);
  EXPECT_FALSE(piece->over());
  EXPECT_EQ(piece->size(), 6u);
  EXPECT_EQ(Receive(), "0123");
  EXPECT_EQ(got_.size(), 2u);
  EXPECT_EQ(piece->Write(out_.get(), kStream, kMuch).size, 6u);
  EXPECT_TRUE(piece->over());
  EXPECT_EQ(Receive(), "456789");
  EXPECT_EQ(got_.size(), 2u);
}

TEST_F(DescriptorPieceTest, KeepsThemUntilThereIsRoom) {
  const size_t before = Fill(out_);
  auto piece = Make("x", Tickets(1));
  EXPECT_TRUE(piece->Write(out_.get(), kStream, kMuch).would_block);
  EXPECT_EQ(piece->size(), 1 + kDescriptorCost);
  EXPECT_FALSE(piece->over());
  EXPECT_EQ(ReadFully(in_, before).size(), before);
  EXPECT_TRUE(piece->Write(out_.get(), kStream, kMuch).ok());
  EXPECT_EQ(Receive(), "x");
  EXPECT_EQ(got_.size(), 1u);
}

TEST_F(DescriptorPieceTest, ClosesThemWithItself) {
  Make("x", Tickets(5));
  ExpectAllClosed();
}

TEST_F(DescriptorPieceTest, SendsAMessageAsAWholeAlsoAnEmptyOne) {
  std::tie(in_, out_) = MakeSocketPair(SOCK_SEQPACKET);
  auto whole = Make("whole", Tickets(1), kMessages);
  EXPECT_EQ(whole->Write(out_.get(), kMessages, 2).size, 5u);
  EXPECT_TRUE(whole->over());
  auto empty = Make("", Tickets(2), kMessages);
  EXPECT_FALSE(empty->over());
  EXPECT_TRUE(empty->Write(out_.get(), kMessages, kMuch).ok());
  EXPECT_TRUE(empty->over());
  EXPECT_EQ(Receive(), "whole");
  EXPECT_EQ(got_.size(), 1u);
  EXPECT_EQ(Receive(), "");
  EXPECT_EQ(got_.size(), 3u);
}

TEST_F(DescriptorPieceTest, StandsInItsPlaceInAQueue) {
  WriteQueue queue;
  queue.Push(Bytes::Copy("before "), {});
  queue.Push(Make("with ", Tickets(1)));
  queue.Push(Bytes::Copy("after"), {});
  EXPECT_EQ(queue.size(), 17 + kDescriptorCost);
  EXPECT_EQ(queue.Flush(out_.get(), kStream, kMuch).state,
            WriteQueue::State::kDrained);
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(Receive(), "before with ");
  EXPECT_EQ(got_.size(), 1u);
  EXPECT_EQ(Receive(), "after");
}

// What a descriptor is counted as is no loss of bytes.
TEST_F(DescriptorPieceTest, LosesBytesOnlyWhenAQueueIsCleared) {
  WriteQueue queue;
  queue.Push(Bytes::Copy("before "), {});
  queue.Push(Make("with", Tickets(20)));
  EXPECT_EQ(queue.Clear(), 11u);
  EXPECT_EQ(queue.size(), 0u);
  ExpectAllClosed();
}

TEST_F(DescriptorPieceTest, SaysWhatItCannotSendAndLeavesTheTickets) {
  std::vector<FdTicket> tickets = Tickets(3);
  EXPECT_THAT(Refusal("", tickets), HasSubstr("need a byte to ride on"));
  EXPECT_THAT(Refusal("x", {}), HasSubstr("no descriptors"));
  tickets.emplace_back();
  EXPECT_THAT(Refusal("x", tickets), HasSubstr("descriptor 4 of 4"));
  tickets.back() = tickets.front();
  EXPECT_THAT(Refusal("x", tickets), HasSubstr("descriptor 4 of 4"));
  tickets.pop_back();
  tickets[1].Take();
  EXPECT_THAT(Refusal("x", tickets), HasSubstr("descriptor 2 of 3"));
  EXPECT_GE(tickets[0].number(), 0);
  EXPECT_GE(tickets[2].number(), 0);
  std::vector<FdTicket> many(kMostDescriptors + 1, tickets[0]);
  EXPECT_THAT(Refusal("x", many),
              HasSubstr("at most 253 descriptors, not 254"));
}

// The limit of those under way is the user's, and root has none.
TEST_F(DescriptorPieceTest, KeepsThemWhenTooManyAreUnderWay) {
  constexpr rlimit kFew = {16, 16};
  const std::vector<int> many(20, pipe_.second.get());
  auto piece = Make("x", Tickets(1));
  auto under_way = [&] {
    BecomeNobody();
    if (setrlimit(RLIMIT_NOFILE, &kFew) != 0) return std::string("setrlimit");
    const iovec byte = {const_cast<char*>("y"), 1};
    SendWithDescriptors(out_.get(), {&byte, 1}, many);
    const auto done = piece->Write(out_.get(), kStream, kMuch);
    return absl::StrCat(ErrnoText(done.error_number), piece->over());
  };
  EXPECT_EQ(InChild(under_way), absl::StrCat(ErrnoText(ETOOMANYREFS), false));
}

}  // namespace
}  // namespace troupe
