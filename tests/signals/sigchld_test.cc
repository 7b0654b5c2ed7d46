// S21: asyncio's watchers need SIGCHLD for themselves. Here it is a signal like
// any other, because children are watched through their pidfds.
#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/scoped_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "signals/signal_relay.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

SignalObserver::behavior_type Listener(SignalObserver::pointer,
                                       std::shared_ptr<Trace> trace,
                                       std::string name) {
  return {[=](const SignalReceived& got) {
    trace->Add(absl::StrCat(name, " ", got.name, " of ", got.delivery.pid,
                            " with ", got.delivery.value.sival_int));
  }};
}

class SigchldTest : public ProcessTest {
 protected:
  void Subscribe(const SignalRelay& relay, std::string name) {
    ASSERT_TRUE(
        ProcessTest::Ask<Subscribed>(
            relay,
            SubscribeToSignal{SIGCHLD, system_->spawn<caf::hidden>(
                                           Listener, trace_, std::move(name))})
            .ok());
  }
};

TEST_F(SigchldTest, IsSharedWhileChildrenAreWatched) {
  auto relay = SpawnSignalRelay(host(), io());
  ASSERT_TRUE(relay.ok()) << relay.status();
  Subscribe(*relay, "a");
  Subscribe(*relay, "b");
  for (int code : {3, 4, 5}) {
    Subprocess child = NewSubprocess();
    ASSERT_EQ(
        Start(child, Quiet({ChildProgram("exit_with"), absl::StrCat(code)})),
        "");
    ASSERT_TRUE(trace_->WaitFor(absl::StrCat("EXIT ", code)));
    for (const char* name : {"a", "b"}) {
      EXPECT_TRUE(trace_->WaitFor(
          absl::StrCat(name, " SIGCHLD of ", pid_, " with ", code)));
    }
  }
}

// The end of the last lease is the end of the catching, not of the watching.
TEST_F(SigchldTest, ItsLeasesEndAndChildrenAreStillWatched) {
  {
    auto relay = SpawnSignalRelay(host(), io());
    ASSERT_TRUE(relay.ok()) << relay.status();
    Subscribe(*relay, "a");
    ASSERT_TRUE(
        ProcessTest::Ask<SignalRelayClosed>(*relay, CloseSignalRelay{}).ok());
  }
  ASSERT_EQ(Start(NewSubprocess(), Quiet({ChildProgram("exit_with"), "3"})),
            "");
  ASSERT_TRUE(trace_->WaitFor("EXIT 3"));
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count(absl::StrCat("a SIGCHLD of ", pid_, " with 3")), 0u);
}

}  // namespace
}  // namespace troupe
