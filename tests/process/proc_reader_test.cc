#include "process/proc_reader.h"

#include <unistd.h>

#include "caf/scoped_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/process_messages.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

class ProcReaderTest : public ProcessTest {};

// The others of a group, without its leader.
TEST_F(ProcReaderTest, ListsAGroup) {
  auto ours = Ask<GroupListed>(proc_reader_, ListGroup{getpgrp()});
  ASSERT_TRUE(ours.ok()) << ours.status();
  EXPECT_THAT(ours->members, Not(Contains(getpgrp())));
  auto nobody = Ask<GroupListed>(proc_reader_, ListGroup{0x3fffff});
  ASSERT_TRUE(nobody.ok()) << nobody.status();
  EXPECT_THAT(nobody->members, IsEmpty());
}

TEST_F(ProcReaderTest, AnswersNoPlainMessage) {
  caf::scoped_actor self(*system_);
  self->send(proc_reader_, ListGroup{getpgrp()});
  self->send(proc_reader_, FindHolders{});
  (void)Ask<GroupListed>(proc_reader_, ListGroup{1});  // behind them
  EXPECT_FALSE(self->has_next_message());
}

}  // namespace
}  // namespace troupe
