#include "process/output_store.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/framing/frame.h"
#include "io/framing/frame_source.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OutputStoreTest : public LeakCheckedTest {
 protected:
  void Add(OutputStore& store, const std::string& text) {
    store.Add(Bytes::Copy(text), Credit(account_, text.size()));
  }
  absl::StatusOr<OutputStore::ReadId> ReadLine(OutputStore& store) {
    return store.Read(UntilSeparator{}, [this](absl::StatusOr<Frame> frame) {
      answers_.push_back(frame.ok() ? frame->bytes.ToString()
                                    : std::string(frame.status().message()));
    });
  }

  std::shared_ptr<CreditAccount> account_ =
      std::make_shared<CreditAccount>(1000, nullptr);
  std::vector<std::string> answers_;
};

TEST_F(OutputStoreTest, HoldsWhatNobodyReadsWithItsCredit) {
  OutputStore store({});
  Add(store, "a\nb");
  EXPECT_EQ(account_->in_flight(), 3u);
  ASSERT_TRUE(ReadLine(store).ok());
  ASSERT_TRUE(ReadLine(store).ok());
  EXPECT_EQ(account_->in_flight(), 0u);
  store.Finish(absl::OkStatus());
  EXPECT_TRUE(store.finished());
  EXPECT_THAT(answers_, ElementsAre("a", "b"));
}

// Row A2: nobody waits for a reader that does not come.
TEST_F(OutputStoreTest, CapturesOrDiscardsAndHoldsNoCredit) {
  OutputStore kept(
      {.unread = UnreadOutput::kCapture, .capture = {.head = 2, .tail = 1}});
  OutputStore gone({.unread = UnreadOutput::kDiscard});
  Add(kept, "abcde");
  Add(gone, "abcde");
  EXPECT_EQ(account_->in_flight(), 0u);
  EXPECT_FALSE(ReadLine(kept).ok());
  EXPECT_FALSE(ReadLine(gone).ok());
  EXPECT_EQ(kept.Take().ToString(), "ab[... 2 bytes dropped ...]e");
  EXPECT_EQ(gone.Take().ToString(), "[... 5 bytes dropped ...]");
  kept.StopGathering();
  Add(kept, "f");
  EXPECT_EQ(kept.Take().ToString(), "f");
}

TEST_F(OutputStoreTest, GathersWhatItHoldsAndWhatComes) {
  OutputStore store({});
  Add(store, "ab");
  ASSERT_TRUE(store.Gather().ok());
  EXPECT_EQ(account_->in_flight(), 0u);
  Add(store, "cd");
  EXPECT_EQ(store.Take().head, "abcd");
  EXPECT_FALSE(ReadLine(store).ok());
}

// Rows H8, V13, A9: and it is bounded while nobody gathers.
TEST_F(OutputStoreTest, KeepsWhatAGivenUpGatheringHad) {
  OutputStore store({});
  ASSERT_TRUE(store.Gather().ok());
  Add(store, "ab");
  store.StopGathering();
  Add(store, "cd");
  EXPECT_EQ(account_->in_flight(), 2u);
  EXPECT_FALSE(ReadLine(store).ok());
  ASSERT_TRUE(store.Gather().ok());
  Add(store, "ef");
  EXPECT_EQ(store.Take().head, "abcdef");
  store.StopGathering();
  Add(store, "gh\n");
  ASSERT_TRUE(ReadLine(store).ok());
  EXPECT_THAT(answers_, ElementsAre("gh"));
}

// Row H18.
TEST_F(OutputStoreTest, GathersNotWhileAReadWaits) {
  OutputStore store({});
  auto id = ReadLine(store);
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(store.Gather().message(), "a read is waiting for this output");
  Add(store, "ab");
  EXPECT_TRUE(store.Cancel(*id));
  ASSERT_TRUE(store.Gather().ok());
  EXPECT_EQ(store.Take().head, "ab");
  EXPECT_THAT(answers_, IsEmpty());
}

}  // namespace
}  // namespace troupe
