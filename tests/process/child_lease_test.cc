#include "process/child_lease.h"

#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ChildLeaseTest : public ::testing::Test {
 protected:
  std::shared_ptr<ChildLease> Lease(pid_t pid) {
    return std::make_shared<ChildLease>(
        pid, pidfd_, true, [this](pid_t pid, SharedFd pidfd, bool own_group) {
          EXPECT_EQ(pidfd, pidfd_);
          EXPECT_TRUE(own_group);
          abandoned_.push_back(pid);
        });
  }

  void Count(ChildLease& lease) {
    lease.AtEnd([this] { ++reaped_; }, ChildLease::Until::kReaped);
    lease.AtEnd([this] { ++detached_; }, ChildLease::Until::kDetached);
  }

  SharedFd pidfd_ = std::make_shared<const OwnedFd>();
  std::vector<pid_t> abandoned_;
  int reaped_ = 0, detached_ = 0;
};

TEST_F(ChildLeaseTest, AbandonsTheChildWithTheLastHolderAndOnce) {
  auto lease = Lease(7);
  auto copy = lease;
  lease.reset();
  EXPECT_THAT(abandoned_, IsEmpty());
  copy.reset();
  EXPECT_THAT(abandoned_, ElementsAre(7));
}

TEST_F(ChildLeaseTest, ASettledChildIsNobodysBusiness) {
  auto lease = Lease(7);
  lease->Settle();
  lease->Settle();
  EXPECT_EQ(lease->pid(), 7);  // for questions
  EXPECT_TRUE(lease->own_group());
  lease.reset();
  EXPECT_THAT(abandoned_, IsEmpty());
}

TEST_F(ChildLeaseTest, TellsOfTheEndOnceWhenTheChildIsSettled) {
  auto lease = Lease(7);
  Count(*lease);
  EXPECT_EQ(reaped_, 0);
  lease->Settle();
  EXPECT_EQ(reaped_, 1);
  EXPECT_EQ(detached_, 1);
  lease.reset();
  EXPECT_EQ(reaped_, 1);
  EXPECT_EQ(detached_, 1);
}

// It still lives, and is still ours to reap.
TEST_F(ChildLeaseTest, ADetachedChildIsCountedUntilItIsSettled) {
  auto lease = Lease(7);
  Count(*lease);
  lease->Detach();
  EXPECT_EQ(reaped_, 0);
  EXPECT_EQ(detached_, 1);
  lease->Settle();
  EXPECT_EQ(reaped_, 1);
  EXPECT_EQ(detached_, 1);
}

TEST_F(ChildLeaseTest, NobodyEndsADetachedChild) {
  auto lease = Lease(7);
  Count(*lease);
  lease->Detach();
  lease.reset();
  EXPECT_THAT(abandoned_, IsEmpty());
  EXPECT_EQ(reaped_, 1);
}

// An abandoned child lives until somebody has ended it.
TEST_F(ChildLeaseTest, TellsOfTheEndWhenAnAbandonedChildHasBeenEnded) {
  SharedFd taken;
  auto lease = std::make_shared<ChildLease>(
      7, pidfd_, true, [&](pid_t, SharedFd pidfd, bool) { taken = pidfd; });
  Count(*lease);
  lease.reset();
  EXPECT_EQ(taken.get(), pidfd_.get());
  EXPECT_EQ(reaped_, 0);
  taken.reset();
  EXPECT_EQ(reaped_, 1);
  EXPECT_EQ(pidfd_.use_count(), 1);
}

// The number stays the child's as long as somebody concerned has the pidfd.
TEST_F(ChildLeaseTest, HoldsThePidfd) {
  auto lease = Lease(7);
  EXPECT_EQ(pidfd_.use_count(), 2);
  lease.reset();
  EXPECT_EQ(pidfd_.use_count(), 1);
}

}  // namespace
}  // namespace troupe
