#include "signals/signal_name.h"

#include <csignal>

#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(SignalNameTest, NamesStandardSignals) {
  EXPECT_EQ(SignalName(SIGTERM), "SIGTERM");
  EXPECT_EQ(SignalName(SIGKILL), "SIGKILL");
}

TEST(SignalNameTest, CountsRealTimeSignalsFromTheFirst) {
  EXPECT_EQ(SignalName(SIGRTMIN), "SIGRTMIN");
  EXPECT_EQ(SignalName(SIGRTMIN + 3), "SIGRTMIN+3");
  EXPECT_EQ(SignalName(SIGRTMAX), "SIGRTMIN+30");
}

TEST(SignalNameTest, SaysTheNumberWithoutAName) {
  EXPECT_EQ(SignalName(0), "signal 0");
  EXPECT_EQ(SignalName(32), "signal 32");
  EXPECT_EQ(SignalName(-1), "signal -1");
  EXPECT_EQ(SignalName(99), "signal 99");
}

TEST(SignalNumberTest, ReadsNamesInAnyForm) {
  for (const char* name : {"TERM", "SIGTERM", "sigterm", "term", "15"}) {
    EXPECT_EQ(SignalNumber(name), SIGTERM) << name;
  }
}

TEST(SignalNumberTest, ReadsEveryNameItGives) {
  for (int number = 1; number <= SIGRTMAX; ++number) {
    if (number == 32 || number == 33) continue;  // libc's own
    EXPECT_EQ(SignalNumber(SignalName(number)), number);
  }
}

TEST(SignalNumberTest, ReadsRealTimeSignalsFromBothEnds) {
  EXPECT_EQ(SignalNumber("RTMIN+3"), SIGRTMIN + 3);
  EXPECT_EQ(SignalNumber("SIGRTMAX-1"), SIGRTMAX - 1);
}

TEST(SignalNumberTest, KnowsNothingElse) {
  for (const char* name :
       {"", "SIG", "SIGSIGTERM", "TERM ", "0", "-1", "65", "RTMIN+99",
        "RTMIN-1", "RTMAX+1", "RTMIN3", "RTMIN+99999999999"}) {
    EXPECT_EQ(SignalNumber(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace troupe
