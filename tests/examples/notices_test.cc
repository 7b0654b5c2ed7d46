#include "examples/troupe/notices.h"

#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(NoticesTest, SayWhenAProcessStartedAndWasRestarted) {
  EXPECT_EQ(StartedNotice("web", 4711), "web started, pid 4711");
  EXPECT_EQ(StartedNotice("web.2", 4712, 3),
            "web.2 restarted, pid 4712 (restart 3)");
  EXPECT_EQ(NotStartedNotice("web", "exec \"/bin/sh\": Permission denied"),
            "web did not start: exec \"/bin/sh\": Permission denied");
}

TEST(NoticesTest, SayHowAProcessEndedAndAfterWhatTime) {
  EXPECT_EQ(EndedNotice("job", "exit code 3", absl::Milliseconds(2178)),
            "job ended after 2.1s: exit code 3");
  EXPECT_EQ(EndedNotice("job", "killed by SIGKILL", absl::Minutes(61)),
            "job ended after 1h1m: killed by SIGKILL");
}

TEST(NoticesTest, DoNotSayThatAProcessRanForNoTime) {
  EXPECT_EQ(EndedNotice("job", "exit code 3", absl::Microseconds(900)),
            "job ended after less than 1ms: exit code 3");
  EXPECT_EQ(EndedNotice("job", "exit code 3", absl::Milliseconds(1)),
            "job ended after 1ms: exit code 3");
}

TEST(NoticesTest, SayWhenAProcessWillRestart) {
  EXPECT_EQ(RestartNotice("job", 2, absl::Milliseconds(500)),
            "job restarts in 500ms (restart 2)");
}

TEST(NoticesTest, SayWhyTheOthersAreStopped) {
  EXPECT_EQ(StoppingNotice(3, "job ended"),
            "stopping 3 processes, because job ended");
  EXPECT_EQ(StoppingNotice(1, "job ended"),
            "stopping 1 process, because job ended");
  EXPECT_EQ(KillingNotice(2, "SIGINT came again"),
            "killing 2 processes, because SIGINT came again");
}

TEST(NoticesTest, SayWhatASecondSignalWouldDo) {
  EXPECT_EQ(StoppingOnSignalNotice(2, "SIGINT"),
            "stopping 2 processes, because of SIGINT; once more kills them");
  EXPECT_EQ(StoppingOnSignalNotice(0, "SIGINT"), "stopping, because of SIGINT");
  EXPECT_EQ(StoppingOnSignalNotice(1, "SIGTERM"),
            "stopping 1 process, because of SIGTERM; once more kills it");
}

}  // namespace
}  // namespace troupe
