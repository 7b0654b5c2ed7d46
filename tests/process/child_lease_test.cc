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

  SharedFd pidfd_ = std::make_shared<const OwnedFd>();
  std::vector<pid_t> abandoned_;
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

TEST_F(ChildLeaseTest, LetsGoWhatItHoldsWhenTheChildIsSettled) {
  auto counted = std::make_shared<int>();
  auto lease = Lease(7);
  lease->Hold(counted, ChildLease::Until::kReaped);
  lease->Hold(counted, ChildLease::Until::kDetached);
  EXPECT_EQ(counted.use_count(), 3);
  lease->Settle();
  EXPECT_EQ(counted.use_count(), 1);
}

// It still lives, and is still ours to reap.
TEST_F(ChildLeaseTest, ADetachedChildIsCountedUntilItIsSettled) {
  auto counted = std::make_shared<int>(), bound = std::make_shared<int>();
  auto lease = Lease(7);
  lease->Hold(counted, ChildLease::Until::kReaped);
  lease->Hold(bound, ChildLease::Until::kDetached);
  lease->Detach();
  EXPECT_EQ(counted.use_count(), 2);
  EXPECT_EQ(bound.use_count(), 1);
  lease->Settle();
  EXPECT_EQ(counted.use_count(), 1);
}

TEST_F(ChildLeaseTest, NobodyEndsADetachedChild) {
  auto counted = std::make_shared<int>();
  auto lease = Lease(7);
  lease->Hold(counted, ChildLease::Until::kReaped);
  lease->Detach();
  lease.reset();
  EXPECT_THAT(abandoned_, IsEmpty());
  EXPECT_EQ(counted.use_count(), 1);
}

// An abandoned child lives until somebody has ended it.
TEST_F(ChildLeaseTest, HandsWhatItHoldsToWhoEndsTheChild) {
  auto counted = std::make_shared<int>();
  SharedFd taken;
  auto lease = std::make_shared<ChildLease>(
      7, pidfd_, true, [&](pid_t, SharedFd pidfd, bool) { taken = pidfd; });
  lease->Hold(counted, ChildLease::Until::kReaped);
  lease.reset();
  EXPECT_EQ(taken.get(), pidfd_.get());
  EXPECT_EQ(counted.use_count(), 2);
  taken.reset();
  EXPECT_EQ(counted.use_count(), 1);
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
