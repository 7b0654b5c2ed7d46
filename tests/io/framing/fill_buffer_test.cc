#include "io/framing/fill_buffer.h"

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

// Row U31: memory of the protocol's own, whatever pieces the stream comes in.
TEST(FillBufferTest, FillsABufferAgainAndAgain) {
  std::string record(4, '\0');
  absl::Span<char> room = absl::MakeSpan(record);
  std::vector<std::string> records;
  for (const char* piece : {"a", "bcd", "efghijkl", "", "mn"}) {
    Bytes chunk = Bytes::Copy(piece);
    while (FillBuffer(room, chunk)) {
      records.push_back(record);
      room = absl::MakeSpan(record);
    }
    EXPECT_TRUE(chunk.empty());
  }
  EXPECT_THAT(records, ElementsAre("abcd", "efgh", "ijkl"));
  EXPECT_EQ(room.size(), 2u);
}

// Row U31: asyncio closes the connection then.
TEST(FillBufferTest, LeavesInTheChunkWhatHasNoRoom) {
  std::string record(3, '\0');
  absl::Span<char> room = absl::MakeSpan(record);
  Bytes chunk = Bytes::Copy("abcde");
  EXPECT_TRUE(FillBuffer(room, chunk));
  EXPECT_FALSE(FillBuffer(room, chunk));
  EXPECT_EQ(record, "abc");
  EXPECT_EQ(chunk.view(), "de");
}

}  // namespace
}  // namespace troupe
