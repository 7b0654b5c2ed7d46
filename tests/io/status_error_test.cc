#include "io/status_error.h"

#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "caf/exit_reason.hpp"
#include "caf/sec.hpp"
#include "gtest/gtest.h"
#include "io/os_error.h"

namespace troupe {
namespace {

TEST(StatusErrorTest, KeepsCodeAndText) {
  absl::Status status = absl::FailedPreconditionError("not now");
  EXPECT_EQ(StatusOf(MakeError(status)), status);
}

TEST(StatusErrorTest, KeepsTheFieldsOfASystemsRefusal) {
  absl::Status status = OsError(ENOENT, "exec", "/no/such");
  absl::Status back = StatusOf(MakeError(status));
  EXPECT_EQ(back, status);
  EXPECT_EQ(OsFailureOf(back).value().path, "/no/such");
  EXPECT_EQ(OsFailureOf(back).value().error_number, ENOENT);
}

TEST(StatusErrorTest, KeepsATextOfOnesOwnAndEveryPayload) {
  absl::Status failure = OsError(ENOENT, "exec", "/no/such");
  absl::Status status(failure.code(), "command 2 of 3: no such program");
  failure.ForEachPayload(
      [&](absl::string_view name, const absl::Cord& content) {
        status.SetPayload(name, content);
      });
  status.SetPayload("another", absl::Cord(absl::string_view("a\0b", 3)));
  status.SetPayload("empty", absl::Cord());
  absl::Status back = StatusOf(MakeError(status));
  EXPECT_EQ(back, status);
  EXPECT_EQ(OsFailureOf(back).value().error_number, ENOENT);
}

TEST(StatusErrorTest, MakesNoErrorOfSuccess) {
  EXPECT_FALSE(MakeError(absl::OkStatus()));
  EXPECT_TRUE(StatusOf(caf::error()).ok());
}

TEST(StatusErrorTest, SaysWhatCafSaid) {
  absl::Status gone =
      StatusOf(caf::make_error(caf::sec::request_receiver_down));
  EXPECT_TRUE(absl::IsUnavailable(gone)) << gone;
  absl::Status told = StatusOf(caf::make_error(caf::exit_reason::kill));
  EXPECT_TRUE(absl::IsCancelled(told)) << told;
  absl::Status unknown =
      StatusOf(caf::make_error(caf::sec::unexpected_message));
  EXPECT_TRUE(absl::IsUnimplemented(unknown)) << unknown;
  absl::Status other =
      StatusOf(caf::make_error(caf::sec::runtime_error, std::string("why")));
  EXPECT_TRUE(absl::IsInternal(other)) << other;
  EXPECT_NE(other.message().find("why"), absl::string_view::npos) << other;
}

}  // namespace
}  // namespace troupe
