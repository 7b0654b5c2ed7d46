#include "signals/signal_pipe.h"

#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class SignalPipeTest : public LeakCheckedTest {};

TEST_F(SignalPipeTest, DeliversInOrderOfArrival) {
  auto pipe = SignalPipe::Create();
  ASSERT_TRUE(pipe.ok());
  ASSERT_TRUE((*pipe)->Catch(SIGUSR1).ok());
  ASSERT_TRUE((*pipe)->Catch(SIGUSR2).ok());
  for (int number : {SIGUSR1, SIGUSR1, SIGUSR2, SIGUSR1}) raise(number);
  std::vector<SignalDelivery> out;
  (*pipe)->Drain(out);
  ASSERT_EQ(out.size(), 4u);
  EXPECT_EQ(out[2].number, SIGUSR2);
}

}  // namespace
}  // namespace troupe
