#include "io/io_actor.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_messages.h"
#include "io/io_thread.h"
#include "io/os_error.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "tests/support/descriptors.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

using OnReady = std::function<void(const FdReady&)>;

FdObserver::behavior_type Handlers(std::string name,
                                   std::shared_ptr<Trace> trace, OnReady then) {
  return {
      [=](const FdReady& ready) {
        trace->Add(name + (ready.side == Side::kRead ? ":read" : ":write"));
        if (then) then(ready);
      },
      [=](const WatchEnded& ended) {
        trace->Add(absl::StrCat(name, ":", ended.why.message()));
      },
  };
}

FdObserver::behavior_type ResidentObserver(Resident<FdObserver::base>*,
                                           std::string name,
                                           std::shared_ptr<Trace> trace,
                                           OnReady then) {
  return Handlers(name, trace, then);
}

FdObserver::behavior_type WorkerObserver(FdObserver::pointer, std::string name,
                                         std::shared_ptr<Trace> trace,
                                         OnReady then) {
  return Handlers(name, trace, then);
}

class IoActorTest : public IoTest {
 protected:
  FdObserver NewObserver(std::string name, OnReady then = {}) {
    return SpawnResident<caf::hidden>(host(), ResidentObserver, name, trace_,
                                      then);
  }
  FdObserver NewWorkerObserver(std::string name, OnReady then = {}) {
    return system_->spawn<caf::hidden>(WorkerObserver, name, trace_, then);
  }
  absl::StatusOr<WatchStarted> Watch(WatchFd request) {
    absl::StatusOr<WatchStarted> result = absl::UnknownError("");
    caf::scoped_actor self(*system_);
    self->request(io(), caf::infinite, std::move(request))
        .receive([&](const WatchStarted& started) { result = started; },
                 [&](const caf::error& why) { result = StatusOf(why); });
    return result;
  }
  WatchId Read(OwnedFd fd, FdObserver observer) {
    auto started = Watch({FdTicket(std::move(fd)), -1, observer, {}});
    EXPECT_TRUE(started.ok()) << started.status();
    return started->watch;
  }
  void Arm(WatchId watch) { caf::anon_send(io(), ArmFd{watch}); }
};

TEST_F(IoActorTest, TellsBothKindsOfObservers) {
  auto [in, out] = MakePipe();
  auto [in2, out2] = MakePipe();
  Arm(Read(std::move(in), NewObserver("resident")));
  Arm(Read(std::move(in2), NewWorkerObserver("worker")));
  WriteFully(out, "x");
  ASSERT_TRUE(trace_->WaitFor("resident:read"));
  WriteFully(out2, "x");
  ASSERT_TRUE(trace_->WaitFor("worker:read"));
}

TEST_F(IoActorTest, RefusesWhatEpollDoesAtOnceAndGivesTheTicketBack) {
  FdObserver observer = NewObserver("r");
  OwnedFd refused[] = {MakeFile("x", O_RDONLY),
                       OwnedFd(open("/dev/null", O_RDONLY | O_CLOEXEC))};
  for (OwnedFd& fd : refused) {
    FdTicket ticket(std::move(fd));
    auto started = Watch({ticket, -1, observer, {}});
    EXPECT_EQ(OsFailureOf(started.status()).value().error_number, EPERM);
    EXPECT_TRUE(ticket.Take().valid());
  }
  EXPECT_EQ(Watch({{}, -1, observer, {}}).status().message(),
            "Invalid file descriptor: -1");
  EXPECT_EQ(Watch({{}, 0, {}, {}}).status().message(),
            "a watch without observer");
}

TEST_F(IoActorTest, NeverUsesAnIdentityAgainAndIgnoresStaleOnes) {
  FdObserver observer = NewObserver("r");
  std::set<uint64_t> seen;
  auto [in, out] = MakePipe();
  for (int i = 0; i < 100; ++i) {
    WatchId watch = Read(OwnedFd(dup(in.get())), observer);
    EXPECT_TRUE(seen.insert(watch.value).second);
    caf::anon_send(io(), EndWatch{watch});
  }
  Read(OwnedFd(dup(in.get())), observer);
  WriteFully(out, "x");
  for (uint64_t stale : seen) {
    Arm(WatchId{stale});
    caf::anon_send(io(), EndWatch{WatchId{stale}});
  }
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre());
}

TEST_F(IoActorTest, RefusesADescriptorThatIsWatched) {
  auto [in, out] = MakePipe();
  FdObserver observer = NewObserver("r");
  ASSERT_TRUE(Watch({{}, in.get(), observer, {}}).ok());
  auto again = Watch({{}, in.get(), observer, {}});
  EXPECT_TRUE(absl::IsAlreadyExists(again.status())) << again.status();
}

TEST_F(IoActorTest, TellsWhoseDescriptorWasClosedElsewhere) {
  auto [in, out] = MakePipe();
  int number = in.get();
  ASSERT_TRUE(Watch({{}, number, NewObserver("old"), {}}).ok());
  in.Close();
  auto [in2, out2] = MakePipe();
  ASSERT_EQ(in2.get(), number);
  Arm(Read(std::move(in2), NewObserver("new")));
  WriteFully(out2, "x");
  ASSERT_TRUE(trace_->WaitFor("new:read"));
  EXPECT_EQ(trace_->Count(absl::StrCat("old:watch \"fd ", number,
                                       ", closed elsewhere\": "
                                       "Bad file descriptor")),
            1u);
}

TEST_F(IoActorTest, ClosesTheDescriptorsOfADeadObserver) {
  auto [in, out] = MakePipe();
  FdObserver observer = NewWorkerObserver("r");
  Read(std::move(in), observer);
  Read(OwnedFd(dup(out.get())), observer);
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  OwnedFd writer = std::move(out);
  WaitForHangUp(writer);
}

TEST_F(IoActorTest, KeepsItsObserverAlive) {
  auto [in, out] = MakePipe();
  Arm(Read(std::move(in), NewObserver("r")));
  WriteFully(out, "x");
  ASSERT_TRUE(trace_->WaitFor("r:read"));
}

TEST_F(IoActorTest, ServesTwoObserversOfOneDescriptor) {
  auto [ours, theirs] = MakeSocketPair();
  FdObserver reader = NewObserver("r"), writer = NewObserver("w");
  auto started = Watch({FdTicket(std::move(ours)), -1, reader, writer});
  ASSERT_TRUE(started.ok());
  Arm(started->watch);
  caf::anon_send(io(),
                 ArmFd{started->watch, Side::kWrite, Interest::kWritable});
  ASSERT_TRUE(trace_->WaitFor("w:write"));
  caf::anon_send_exit(writer, caf::exit_reason::kill);
  WaitForIteration(*io_);
  WriteFully(theirs, "x");
  ASSERT_TRUE(trace_->WaitFor("r:read"));
  caf::anon_send_exit(reader, caf::exit_reason::kill);
  WaitForHangUp(theirs);
}

TEST_F(IoActorTest, TellsObserversElsewhereWhenItStops) {
  auto [in, out] = MakePipe();
  FdObserver observer = NewWorkerObserver("r");
  Read(std::move(in), observer);
  io_->Stop();
  ASSERT_TRUE(trace_->WaitFor("r:the I/O actor was stopped"));
  WaitForHangUp(out);
}

TEST_F(IoActorTest, ForgetsAnObserverWithItsLastWatch) {
  auto [in, out] = MakePipe();
  FdObserver observer = NewObserver("r");
  for (int i = 0; i < 3; ++i) {
    caf::anon_send(io(), EndWatch{Read(OwnedFd(dup(in.get())), observer)});
  }
  WaitForIteration(*io_);
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  WaitForIteration(*io_);
  EXPECT_THAT(trace_->events(), ElementsAre());
}

TEST_F(IoActorTest, WatchesTenThousandDescriptors) {
  constexpr size_t kWatches = 10000;
  rlimit before, limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  limit = before;
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_cur < kWatches + 100) GTEST_SKIP() << "the hard limit";
  auto [in, out] = MakePipe();
  std::atomic<size_t> ready{0};
  std::promise<void> all;
  FdObserver observer = NewObserver("", [&](const FdReady&) {
    if (++ready == kWatches) all.set_value();
  });
  std::vector<WatchId> watches;
  for (size_t i = 0; i < kWatches; ++i) {
    watches.push_back(Read(OwnedFd(dup(in.get())), observer));
    Arm(watches.back());
  }
  WriteFully(out, "x");
  all.get_future().wait();
  for (WatchId watch : watches) caf::anon_send(io(), EndWatch{watch});
  in.Close();
  WaitForHangUp(out);
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

// Two residents that never stop talking: the selector is asked all the same.
TEST_F(IoActorTest, ListensWhileResidentsPlayPingPong) {
  std::atomic<bool> over{false};
  FdObserver players[2];
  for (int i = 0; i < 2; ++i) {
    players[i] = SpawnResident<caf::hidden>(
        host(), ResidentObserver, std::string(), std::make_shared<Trace>(),
        OnReady([&players, &over, i](const FdReady& ball) {
          if (!over) caf::anon_send(players[1 - i], ball);
        }));
  }
  caf::anon_send(players[0], FdReady());
  auto [in, out] = MakePipe();
  WatchId watch = Read(std::move(in), NewObserver("r"));
  for (int i = 1; i <= 10; ++i) {
    Arm(watch);
    WriteFully(out, "x");
    ASSERT_TRUE(trace_->WaitFor("r:read", i));
  }
  over = true;
  WaitForIteration(*io_);
}

TEST_F(IoActorTest, RunsBesideOthersOfItsKind) {
  auto other = *IoThread::Start(*system_);
  auto [in, out] = MakePipe();
  auto [in2, out2] = MakePipe();
  FdObserver observer = NewWorkerObserver("r");
  Arm(Read(std::move(in), observer));
  caf::scoped_actor self(*system_);
  self->request(other->actor(), caf::infinite,
                WatchFd{FdTicket(std::move(in2)), -1, observer, {}})
      .receive(
          [&](const WatchStarted& started) {
            self->send(other->actor(), ArmFd{started.watch});
          },
          [](const caf::error& why) { FAIL() << to_string(why); });
  WriteFully(out, "x");
  WriteFully(out2, "x");
  ASSERT_TRUE(trace_->WaitFor("r:read", 2));
}

TEST_F(IoActorTest, WakesForMessagesFromManyThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int n = 0; n < 500; ++n) {
        TimerId id = TimerId::Next();
        caf::anon_send(io(), CancelTimer{id});
        if (n % 50 == 0) WaitForIteration(*io_);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Descriptors run out: a typed error, and nothing is left behind.
TEST_F(IoActorTest, CannotBeStartedWithoutDescriptors) {
  // ubsan needs descriptors when it sees a class for the first time.
  ASSERT_TRUE(IoThread::Start(*system_).ok());
  rlimit before, none;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  size_t open = OpenDescriptors().size();
  for (size_t spare = 0; spare < 3; ++spare) {
    OwnedFd next(dup(0));
    none = before;
    none.rlim_cur = next.get() + spare;
    next.Close();
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    auto started = IoThread::Start(*system_);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_FALSE(started.ok());
    EXPECT_EQ(OsFailureOf(started.status()).value().error_number, EMFILE);
    EXPECT_EQ(OpenDescriptors().size(), open);
  }
}

}  // namespace
}  // namespace troupe
