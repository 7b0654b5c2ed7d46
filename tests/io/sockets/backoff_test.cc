// The pauses before a UNIX connect is tried again (rows U24, A21).
#include "io/sockets/backoff.h"

#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

std::vector<int> Pauses(Backoff& backoff, int count) {
  std::vector<int> ms;
  for (int i = 0; i < count; ++i) {
    ms.push_back(static_cast<int>(absl::ToInt64Milliseconds(backoff.Next())));
  }
  return ms;
}

TEST(BackoffTest, DoublesUpToItsLongestPause) {
  Backoff backoff;
  EXPECT_THAT(Pauses(backoff, 9),
              ElementsAre(1, 2, 4, 8, 16, 32, 64, 100, 100));
}

TEST(BackoffTest, BeginsAgainAfterASuccess) {
  Backoff backoff;
  Pauses(backoff, 5);
  backoff.Reset();
  EXPECT_THAT(Pauses(backoff, 2), ElementsAre(1, 2));
}

TEST(BackoffTest, NeverPausesLongerThanTheLongest) {
  Backoff backoff(absl::Milliseconds(7), absl::Milliseconds(3));
  EXPECT_THAT(Pauses(backoff, 2), ElementsAre(3, 3));
  backoff.Reset();
  EXPECT_THAT(Pauses(backoff, 1), ElementsAre(3));
}

TEST(BackoffTest, StaysAtTheLongestForEver) {
  Backoff backoff;
  Pauses(backoff, 10000);
  EXPECT_EQ(backoff.Next(), absl::Milliseconds(100));
}

}  // namespace
}  // namespace troupe
