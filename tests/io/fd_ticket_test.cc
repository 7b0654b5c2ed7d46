#include "io/fd_ticket.h"

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using FdTicketTest = LeakCheckedTest;

TEST_F(FdTicketTest, GivesTheDescriptorToTheFirstTaker) {
  auto [in, out] = MakePipe();
  int number = in.get();
  FdTicket ticket(std::move(in));
  FdTicket copy = ticket;
  EXPECT_EQ(copy.number(), number);
  EXPECT_EQ(copy.Take().get(), number);
  EXPECT_FALSE(ticket.Take().valid());
  EXPECT_EQ(ticket.number(), -1);
}

TEST_F(FdTicketTest, ClosesWithItsLastCopy) {
  auto [in, out] = MakePipe();
  int number = in.get();
  FdTicket last;
  {
    FdTicket ticket(std::move(in));
    last = ticket;
  }
  EXPECT_TRUE(IsOpen(number));
  last = FdTicket();
  EXPECT_FALSE(IsOpen(number));
}

TEST_F(FdTicketTest, TakesBackWhatCouldNotBeUsed) {
  auto [in, out] = MakePipe();
  int number = in.get();
  FdTicket ticket(std::move(in));
  FdTicket copy = ticket;
  ticket.Return(ticket.Take());
  EXPECT_EQ(copy.Take().get(), number);
}

TEST_F(FdTicketTest, IsEmptyByDefault) {
  EXPECT_EQ(FdTicket().number(), -1);
  EXPECT_FALSE(FdTicket().Take().valid());
}

TEST_F(FdTicketTest, GoesToOneOfManyThreads) {
  for (int round = 0; round < 200; ++round) {
    auto [in, out] = MakePipe();
    FdTicket ticket(std::move(in));
    std::atomic<int> takers{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back(
          [ticket, &takers] { takers += ticket.Take().valid(); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(takers, 1);
  }
}

}  // namespace
}  // namespace troupe
