#include "io/os_error.h"

#include <cerrno>

#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(OsErrorTest, SaysWhatWasAttemptedOnWhatAndWhy) {
  absl::Status status = OsError(ENOENT, "exec", "/no/such");
  EXPECT_EQ(status.message(), "exec \"/no/such\": No such file or directory");
  EXPECT_TRUE(absl::IsNotFound(status));
}

TEST(OsErrorTest, KeepsItsFieldsReadable) {
  auto failure = OsFailureOf(OsError(EACCES, "open", "a \"b\": c"));
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->step, "open");
  EXPECT_EQ(failure->path, "a \"b\": c");
  EXPECT_EQ(failure->error_number, EACCES);
}

TEST(OsErrorTest, LeavesThePathOutWhenThereIsNone) {
  EXPECT_EQ(OsError(EMFILE, "pipe2").message(), "pipe2: Too many open files");
}

TEST(OsErrorTest, FindsNoFieldsInAStrangersStatus) {
  EXPECT_FALSE(OsFailureOf(absl::InternalError("exec")).has_value());
}

}  // namespace
}  // namespace troupe
