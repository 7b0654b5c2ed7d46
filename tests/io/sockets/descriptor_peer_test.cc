// Descriptors to and from a process that is killed (row A25).
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/sockets/stream_messages.h"
#include "tests/io/sockets/stream_descriptors_fixture.h"
#include "tests/support/descriptors.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

class DescriptorPeerTest : public StreamDescriptorsFixture {
 protected:
  // Does `body` in a forked process, then waits to be killed. Our side of
  // theirs_ is closed.
  void Fork(const std::function<void()>& body) {
    Ends ready = MakePipe();
    child_ = fork();
    if (child_ == 0) {
      close(ours_.get());
      close(pipe_.second.get());
      body();
      WriteFully(ready.second, "!");
      for (;;) pause();
    }
    theirs_.Close();
    EXPECT_EQ(ReadFully(ready.first, 1), "!");
  }
  void Kill() {
    kill(child_, SIGKILL);
    EXPECT_EQ(waitpid(child_, nullptr, 0), child_);
  }

  pid_t child_ = -1;
};

TEST_F(DescriptorPeerTest, ClosesEverythingWhenAPeerThatDoesNotReadIsKilled) {
  Fork([] {});
  OpenWriter();
  // Until the socket is full, and then some.
  while (!Info(writer_).writing.paused) {
    caf::anon_send(writer_, WriteDescriptors{Bytes("x"), Tickets(2)});
  }
  Kill();
  ASSERT_TRUE(trace_->WaitForPrefix("CL("));
  ExpectAllClosed();
}

TEST_F(DescriptorPeerTest, HasWhatAPeerPassedBeforeItWasKilled) {
  Fork([this] {
    for (int i = 0; i < 3; ++i) {
      const Ends ends = MakePipe();
      WriteFully(ends.second, absl::StrCat("from pipe ", i));
      PassPlainly(theirs_, absl::StrCat(i), {ends.first.get()});
    }
  });
  Kill();
  theirs_ = std::move(ours_);
  OpenReader();
  ASSERT_TRUE(read_->WaitFor("CL"));
  EXPECT_THAT(read_->events(),
              ElementsAre("CM", "FD(1)@0", "DR 0", "FD(1)@1", "DR 1", "FD(1)@2",
                          "DR 2", "EOF", "CL"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ReadFully(kept_.at(i), 100), absl::StrCat("from pipe ", i));
  }
}

}  // namespace
}  // namespace troupe
