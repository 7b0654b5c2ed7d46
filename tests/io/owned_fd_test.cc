#include "io/owned_fd.h"

#include <utility>

#include "gtest/gtest.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using OwnedFdTest = LeakCheckedTest;

TEST_F(OwnedFdTest, ClosesWhenItGoes) {
  auto [in, out] = MakePipe();
  int number = in.get();
  { OwnedFd gone = std::move(in); }
  EXPECT_FALSE(IsOpen(number));
}

TEST_F(OwnedFdTest, ClosesWhatItHeldWhenItIsAssigned) {
  auto [in, out] = MakePipe();
  int held = in.get(), number = out.get();
  in = std::move(out);
  EXPECT_FALSE(IsOpen(held));
  EXPECT_EQ(in.get(), number);
  EXPECT_FALSE(out.valid());
}

TEST_F(OwnedFdTest, SurvivesBeingAssignedToItself) {
  auto [in, out] = MakePipe();
  OwnedFd& same = in;
  in = std::move(same);
  EXPECT_TRUE(IsOpen(in.get()));
}

TEST_F(OwnedFdTest, GivesAwayWithoutClosing) {
  auto [in, out] = MakePipe();
  OwnedFd other(in.Release());
  EXPECT_FALSE(in.valid());
  EXPECT_TRUE(IsOpen(other.get()));
}

TEST_F(OwnedFdTest, ClosesOnce) {
  auto [in, out] = MakePipe();
  in.Close();
  OwnedFd next(dup(out.get()));  // the number is another's now
  in.Close();
  EXPECT_TRUE(IsOpen(next.get()));
}

}  // namespace
}  // namespace troupe
