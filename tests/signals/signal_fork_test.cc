// S22, V33: what the pipe is to a forked child.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "signals/disposition.h"
#include "signals/signal_buffer.h"
#include "signals/signal_delivery.h"
#include "signals/signal_pipe.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

std::atomic<int> earlier_value;
void Earlier(int, siginfo_t* info, void*) {
  earlier_value = info->si_value.sival_int;
}

// As kill(2) sends: to the process, not to the thread.
void KillSelf(int number) { syscall(SYS_kill, getpid(), number); }

void InstallEarlier(int number) {
  struct sigaction action {};
  action.sa_sigaction = &Earlier;
  action.sa_flags = SA_SIGINFO;
  sigaction(number, &action, nullptr);
}

// The wait status of a child that runs `body` and exits with what it returns.
template <class Body>
int StatusOfChild(Body body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

class SignalForkTest : public LeakCheckedTest {
 protected:
  SignalForkTest() {
    auto pipe = SignalPipe::Create();
    EXPECT_TRUE(pipe.ok());
    pipe_ = *std::move(pipe);
  }
  ~SignalForkTest() override {
    pipe_.reset();
    signal(SIGUSR1, SIG_DFL);
    signal(SIGRTMIN, SIG_DFL);
  }
  void Catch(int number) { ASSERT_TRUE(pipe_->Catch(number).ok()); }
  // Nothing came, and what comes now is the first to come.
  void ExpectParentSawNothing() {
    std::vector<SignalDelivery> out;
    pipe_->Drain(out);
    EXPECT_TRUE(out.empty());
    raise(SIGUSR1);
    pipe_->Drain(out);
    EXPECT_EQ(out.size(), 1u);
  }

  std::unique_ptr<SignalPipe> pipe_;
};

TEST_F(SignalForkTest, TheChildWritesNothingIntoTheParentsPipe) {
  signal(SIGUSR1, SIG_IGN);
  Catch(SIGUSR1);
  const int status = StatusOfChild([] {
    for (int i = 0; i < 3; ++i) KillSelf(SIGUSR1);
    return 5;
  });
  EXPECT_EQ(WEXITSTATUS(status), 5);
  std::uint64_t wakes = 0;
  EXPECT_EQ(read(pipe_->fd(), &wakes, sizeof wakes), -1);
  EXPECT_EQ(errno, EAGAIN);
  ExpectParentSawNothing();
}

TEST_F(SignalForkTest, TheChildWritesNothingIntoTheParentsTaps) {
  signal(SIGUSR1, SIG_IGN);
  Catch(SIGUSR1);
  std::shared_ptr<SignalBuffer> tap = SignalBuffer::Create().value();
  pipe_->SetRoute(SIGUSR1, /*to_owner=*/false, {tap});
  const int status = StatusOfChild([this] {
    KillSelf(SIGUSR1);
    pipe_.reset();  // the copy, with its routes
    return 5;
  });
  EXPECT_EQ(WEXITSTATUS(status), 5);
  std::uint64_t wakes = 0;
  EXPECT_EQ(read(tap->fd(), &wakes, sizeof wakes), -1);
  raise(SIGUSR1);
  EXPECT_EQ(read(tap->fd(), &wakes, sizeof wakes), ssize_t{sizeof wakes});
}

TEST_F(SignalForkTest, InTheChildASignalDoesWhatItDidBeforeCatch) {
  InstallEarlier(SIGRTMIN);
  Catch(SIGRTMIN);
  Catch(SIGUSR1);
  const int status = StatusOfChild([] {
    for (int value : {41, 42}) {
      sigval sent{};
      sent.sival_int = value;
      sigqueue(getpid(), SIGRTMIN, sent);
      if (earlier_value != value) return 1;
    }
    return 0;
  });
  EXPECT_EQ(status, 0);
  ExpectParentSawNothing();
}

TEST_F(SignalForkTest, TheChildCanBeTerminated) {
  Catch(SIGTERM);
  Catch(SIGUSR1);
  const int status = StatusOfChild([] {
    KillSelf(SIGTERM);
    return 0;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  ExpectParentSawNothing();
}

TEST_F(SignalForkTest, AVforkChildTouchesNothingOfTheParentsMemory) {
  signal(SIGRTMIN, SIG_IGN);
  Catch(SIGRTMIN);
  Catch(SIGUSR1);
  const pid_t child = vfork();
  if (child == 0) {
    KillSelf(SIGRTMIN);
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  ExpectParentSawNothing();
  raise(SIGRTMIN);  // still caught here
  std::vector<SignalDelivery> out;
  pipe_->Drain(out);
  EXPECT_EQ(out.size(), 1u);
}

// Row P5: one that Troupe starts knows nothing of all this.
TEST_F(SignalForkTest, ASpawnedChildStartsWithNothingBlockedOrCaught) {
  Catch(SIGUSR1);
  auto facts = Facts(OutputOf({.argv = {ChildProgram("print_signals")}}));
  EXPECT_EQ(std::stoull(facts["SigBlk"], nullptr, 16), 0u);
  const auto caught = std::stoull(facts["SigCgt"], nullptr, 16);
  EXPECT_EQ(caught >> (SIGUSR1 - 1) & 1, 0u);
}

TEST_F(SignalForkTest, TheChildCanHaveAPipeOfItsOwn) {
  InstallEarlier(SIGUSR1);
  Catch(SIGUSR1);
  const int status = StatusOfChild([this] {
    auto own = SignalPipe::Create();
    if (!own.ok()) return 1;
    if (!(*own)->Catch(SIGUSR1).ok()) return 2;
    KillSelf(SIGUSR1);
    pipe_.reset();  // the parent's, copied: not in the way
    KillSelf(SIGUSR1);
    std::vector<SignalDelivery> out;
    (*own)->Drain(out);
    if (out.size() != 2) return 3;
    own->reset();
    struct sigaction action;
    sigaction(SIGUSR1, nullptr, &action);
    return action.sa_sigaction == &Earlier ? 0 : 4;
  });
  EXPECT_EQ(WEXITSTATUS(status), 0);
  ExpectParentSawNothing();
}

TEST_F(SignalForkTest, TheChildsCopyDestroysWithoutWaiting) {
  Catch(SIGTERM);
  const int status = StatusOfChild([this] {
    pipe_.reset();
    struct sigaction action;
    sigaction(SIGTERM, nullptr, &action);
    return action.sa_handler == SIG_DFL ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
  struct sigaction action;
  sigaction(SIGTERM, nullptr, &action);
  EXPECT_NE(action.sa_handler, SIG_DFL);
}

// One that waits for room in the parent, on a thread the child does not have.
SignalHandler ours;
std::atomic<int> entered;
void CountAndRunOurs(int number, siginfo_t* info, void* context) {
  ++entered;
  ours(number, info, context);
}

TEST_F(SignalForkTest, TheChildDoesNotWaitForTheParentsHandlers) {
  pipe_.reset();
  pipe_ = SignalPipe::Create({.exact = 1, .limit = 1}).value();
  Catch(SIGRTMIN);
  struct sigaction action;
  sigaction(SIGRTMIN, nullptr, &action);
  ours = action.sa_sigaction;
  action.sa_sigaction = &CountAndRunOurs;
  sigaction(SIGRTMIN, &action, nullptr);
  std::thread sender([] {
    raise(SIGRTMIN);
    raise(SIGRTMIN);
  });
  while (entered < 2) std::this_thread::yield();
  EXPECT_EQ(StatusOfChild([this] {
              pipe_.reset();
              return 0;
            }),
            0);
  EXPECT_EQ(StatusOfChild([] {
              auto own = SignalPipe::Create();
              own->reset();
              return 0;
            }),
            0);
  std::vector<SignalDelivery> out;
  while (out.size() < 2) pipe_->Drain(out);
  sender.join();
}

}  // namespace
}  // namespace troupe
