#include "io/framing/frame_source.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = Frame::Kind;

class FrameSourceTest : public LeakCheckedTest {
 protected:
  // Notes `NAME:bytes`, with a letter for each other kind, or `NAME!error`.
  FrameSource::Answer Note(const std::string& name) {
    return [this, name](absl::StatusOr<Frame> frame) {
      if (!frame.ok()) {
        answers_.push_back(absl::StrCat(name, "!", frame.status().message()));
        return;
      }
      const char* kind = frame->kind == Kind::kTooLong      ? "long "
                         : frame->kind == Kind::kTooLongEnd ? "end "
                         : frame->kind == Kind::kIncomplete ? "cut "
                                                            : "";
      answers_.push_back(absl::StrCat(name, ":", kind, frame->bytes.view()));
    };
  }
  void ReadLine() { source_.Read(UntilSeparator{}, Note("line")); }
  void Exactly(size_t n) { source_.Read(ExactBytes{n}, Note("exact")); }
  void Available(size_t n) { source_.Read(AvailableBytes{n}, Note("some")); }
  void Add(const std::string& text) {
    source_.Add(Bytes::Copy(text), Credit(account_, text.size()));
  }
  std::vector<std::string> Answers() { return std::exchange(answers_, {}); }

  std::shared_ptr<CreditAccount> account_ =
      std::make_shared<CreditAccount>(1000, nullptr);
  FrameSource source_{8};
  std::vector<std::string> answers_;
};

// Rows H14 to H17.
TEST_F(FrameSourceTest, GivesEachReadWhatItAsksFor) {
  Add("one\nxyzsome");
  ReadLine();
  Exactly(3);
  Available(100);
  EXPECT_THAT(Answers(), ElementsAre("line:one", "exact:xyz", "some:some"));
  source_.Read(UntilSeparator{"--"}, Note("until"));
  Add("a-");
  EXPECT_THAT(Answers(), IsEmpty());
  Add("-b");
  EXPECT_THAT(Answers(), ElementsAre("until:a"));
  Available(1);
  EXPECT_THAT(Answers(), ElementsAre("some:b"));
}

// Rows H18, A30: asyncio refuses the second.
TEST_F(FrameSourceTest, AnswersReadsInTheOrderTheyWereAsked) {
  for (int i = 0; i < 3; ++i) ReadLine();
  Exactly(2);
  Add("a\nb");
  EXPECT_THAT(Answers(), ElementsAre("line:a"));
  Add("\nc\nde");
  EXPECT_THAT(Answers(), ElementsAre("line:b", "line:c", "exact:de"));
}

TEST_F(FrameSourceTest, MayBeReadFromAnAnswer) {
  Add("a\nb\nc\n");
  source_.Read(UntilSeparator{}, [&](absl::StatusOr<Frame> frame) {
    Note("first")(std::move(frame));
    ReadLine();
  });
  EXPECT_THAT(Answers(), ElementsAre("first:a", "line:b"));
}

// Rows H14, H17.
TEST_F(FrameSourceTest, GivesNothingAtOnceToWhoAsksForNothing) {
  Exactly(0);
  Available(0);
  EXPECT_THAT(Answers(), ElementsAre("exact:", "some:"));
}

// Row H17.
TEST_F(FrameSourceTest, GivesExactlyAsManyAsAskedForWhateverTheLimit) {
  Exactly(20);
  for (int i = 0; i < 5; ++i) Add("abcd");
  EXPECT_THAT(Answers(), ElementsAre("exact:abcdabcdabcdabcdabcd"));
}

// Row A4: asyncio raises, and drops what it had.
TEST_F(FrameSourceTest, GivesALongLineInPartsAndGoesOnBehindIt) {
  Add("0123456789");
  for (int i = 0; i < 4; ++i) ReadLine();
  EXPECT_THAT(Answers(), ElementsAre("line:long 012345678", "line:long 9"));
  Add("abc\nnext\n");
  EXPECT_THAT(Answers(), ElementsAre("line:end abc\n", "line:next"));
}

// Row A4: somebody who only wants to get over it.
TEST_F(FrameSourceTest, LetsAnotherReadGoOnBehindThePartOfALongLine) {
  Add("0123456789abc\nnext\n");
  ReadLine();
  Exactly(3);
  ReadLine();
  ReadLine();
  EXPECT_THAT(Answers(), ElementsAre("line:long 012345678", "exact:9ab",
                                     "line:c", "line:next"));
}

// Rows H15 to H17: at the end, what there is.
TEST_F(FrameSourceTest, GivesWhatCameOfTheFrameAtTheEnd) {
  ReadLine();
  Add("ab");
  source_.Finish(absl::OkStatus());
  ReadLine();
  Exactly(2);
  Available(2);
  EXPECT_THAT(Answers(), ElementsAre("line:cut ab", "line:cut ", "exact:cut ",
                                     "some:cut "));
}

// Row H19, but that nothing is dropped.
TEST_F(FrameSourceTest, GivesAllThatCameBeforeAnErrorAndThenTheError) {
  Add("a\nbc");
  source_.Finish(absl::AbortedError("broken"));
  source_.Finish(absl::OkStatus());
  for (int i = 0; i < 4; ++i) ReadLine();
  EXPECT_THAT(Answers(), ElementsAre("line:a", "line:cut bc", "line!broken",
                                     "line!broken"));
}

// Row H16.
TEST_F(FrameSourceTest, RefusesAnEmptySeparatorAndGoesOn) {
  Add("a\n");
  source_.Read(UntilSeparator{""}, Note("until"));
  ReadLine();
  EXPECT_THAT(Answers(),
              ElementsAre("until!Separator should be at least one-byte string",
                          "line:a"));
}

// Whoever does not read stops the stream; a read that waits never does.
TEST_F(FrameSourceTest, HoldsTheCreditOfWhatNobodyHasAskedFor) {
  Add("one\ntwo\n");
  EXPECT_EQ(account_->in_flight(), 8u);
  ReadLine();
  EXPECT_EQ(account_->in_flight(), 8u);
  ReadLine();
  EXPECT_EQ(account_->in_flight(), 0u);
  Exactly(100000);
  for (int i = 0; i < 100; ++i) {
    Add(std::string(1000, 'x'));
    EXPECT_EQ(account_->in_flight(), 0u);
  }
  EXPECT_EQ(Answers().back().size(), 100000 + std::string("exact:").size());
}

// Rows H8, V13: whatever a read had taken, the next one has it.
TEST_F(FrameSourceTest, LosesNothingToAReadThatIsCancelled) {
  using Request = FrameSource::Request;
  for (const Request& first :
       {Request(UntilSeparator{}), Request(UntilSeparator{"xx"}),
        Request(ExactBytes{20})}) {
    FrameSource source(8);
    auto id = source.Read(first, Note("never"));
    source.Add(Bytes::Copy("ab"), {});
    source.Add(Bytes::Copy("cd"), {});
    EXPECT_TRUE(source.Cancel(id));
    EXPECT_FALSE(source.Cancel(id));
    source.Add(Bytes::Copy("ef\ngh"), {});
    source.Read(UntilSeparator{}, Note("line"));
    source.Read(AvailableBytes{}, Note("some"));
    EXPECT_THAT(Answers(), ElementsAre("line:abcdef", "some:gh"));
  }
}

TEST_F(FrameSourceTest, ServesWhoWaitsBehindAReadThatIsCancelled) {
  auto first = source_.Read(ExactBytes{9}, Note("first"));
  auto second = source_.Read(ExactBytes{9}, Note("second"));
  ReadLine();
  Add("ab\ncd");
  EXPECT_TRUE(source_.Cancel(second));
  EXPECT_THAT(Answers(), IsEmpty());
  EXPECT_TRUE(source_.Cancel(first));
  EXPECT_THAT(Answers(), ElementsAre("line:ab"));
  EXPECT_FALSE(source_.has_readers());
}

// The parts of a long line go on where they were.
TEST_F(FrameSourceTest, GoesOnInALongLineBehindAReadThatIsCancelled) {
  Add("0123456789");
  ReadLine();
  ReadLine();
  EXPECT_TRUE(source_.Cancel(source_.Read(UntilSeparator{}, Note("never"))));
  Add("a\nb\n");
  ReadLine();
  ReadLine();
  EXPECT_THAT(Answers(), ElementsAre("line:long 012345678", "line:long 9",
                                     "line:end a\n", "line:b"));
}

TEST_F(FrameSourceTest, GivesAllThatItHoldsToWhoTakesItOver) {
  auto id = source_.Read(ExactBytes{9}, Note("never"));
  Add("ab");
  source_.Cancel(id);
  EXPECT_FALSE(source_.holds_chunks());
  Add("cd");
  EXPECT_TRUE(source_.holds_chunks());
  std::vector<std::string> held;
  for (const Bytes& bytes : source_.TakeHeld()) {
    held.push_back(bytes.ToString());
  }
  EXPECT_THAT(held, ElementsAre("ab", "cd"));
  EXPECT_THAT(source_.TakeHeld(), IsEmpty());
  EXPECT_EQ(account_->in_flight(), 0u);
}

// However it is cut.
TEST_F(FrameSourceTest, LosesNothingOfAStreamThatComesByteByByte) {
  const std::string stream = "ab\n\n0123456789\nxyz";
  for (char c : stream) Add(std::string(1, c));
  source_.Finish(absl::OkStatus());
  for (int i = 0; i < 6; ++i) ReadLine();
  EXPECT_THAT(Answers(),
              ElementsAre("line:ab", "line:", "line:long 012345678",
                          "line:long 9", "line:end \n", "line:cut xyz"));
}

}  // namespace
}  // namespace troupe
