// Servers that start at once at one path (rows V49, A20): one serves, and keeps
// serving.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/unix_listener.h"
#include "tests/io/sockets/socket_folder.h"
#include "tests/support/descriptors.h"
#include "tests/support/unix_sockets.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

constexpr char kServes = 's', kInUse = 'u', kOther = 'o';

char Outcome(const absl::Status& status) {
  if (status.ok()) return kServes;
  return absl::IsAlreadyExists(status) ? kInUse : kOther;
}

// Processes that start at one moment, and serve until they are told to end,
// which they do without removing anything.
class Racers {
 public:
  Racers(const SocketAddress& address, int count) : address_(address) {
    std::tie(start_.first, start_.second) = MakePipe();
    std::tie(end_.first, end_.second) = MakePipe();
    std::tie(told_.first, told_.second) = MakePipe();
    for (int i = 0; i < count; ++i) {
      const pid_t pid = fork();
      if (pid == 0) Race();
      pids_.push_back(pid);
    }
    start_.second.Close();
  }
  ~Racers() {
    end_.second.Close();
    for (pid_t pid : pids_) EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
  }

  // One letter for each, sorted; waits for all.
  std::string Outcomes() {
    std::string told = ReadFully(told_.first, pids_.size());
    std::sort(told.begin(), told.end());
    return told;
  }

 private:
  [[noreturn]] void Race() {
    start_.second.Close();
    end_.second.Close();
    ReadFully(start_.first, 1);
    auto listener = UnixListener::Bind({.path = address_.path()});
    if (listener.ok()) listener->Listen().IgnoreError();
    WriteFully(told_.second, std::string(1, Outcome(listener.status())));
    ReadFully(end_.first, 1);
    _exit(0);
  }

  const SocketAddress address_;
  Ends start_, end_, told_;
  std::vector<pid_t> pids_;
};

class UnixListenerRaceTest : public SocketFolderTest {
 protected:
  static constexpr int kRacers = 12;
  static std::string OneServes() {
    return kServes + std::string(kRacers - 1, kInUse);
  }
  static bool Answers(const SocketAddress& address) {
    OwnedFd client = NonBlockingSocket(AF_UNIX);
    return connect(client.get(), address.data(), address.size()) == 0;
  }
};

// Each round leaves the next one a stale file.
TEST_F(UnixListenerRaceTest, OneOfManyProcessesServes) {
  const SocketAddress address = Address("socket");
  for (int round = 0; round < 40; ++round) {
    Racers racers(address, kRacers);
    ASSERT_EQ(racers.Outcomes(), OneServes()) << "round " << round;
    ASSERT_TRUE(Answers(address)) << "round " << round;
    ASSERT_THAT(Entries(), ElementsAre("socket"));
  }
}

TEST_F(UnixListenerRaceTest, NoneOfManyProcessesDisturbsALivingServer) {
  const SocketAddress address = Address("socket");
  OwnedFd listener = ListenAt(address);
  for (int round = 0; round < 10; ++round) {
    Racers racers(address, kRacers);
    ASSERT_EQ(racers.Outcomes(), std::string(kRacers, kInUse));
  }
  EXPECT_EQ(accept(listener.get(), nullptr, nullptr), -1) << "was disturbed";
  EXPECT_TRUE(Answers(address));
  EXPECT_THAT(Entries(), ElementsAre("socket"));
}

// Servers come and go; whoever got the address has it until it lets go.
TEST_F(UnixListenerRaceTest, NoThreadLosesWhatItHasBoundToAnother) {
  const SocketAddress address = Address("socket");
  std::atomic<int> bound{0}, lost{0}, others{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) {
        auto listener = UnixListener::Bind(
            {.path = address.path(),
             .backlog = 0,
             .unlink = n % 2 == 0 ? UnlinkPolicy::kKeep
                                  : UnlinkPolicy::kUnlinkOwnInode});
        if (Outcome(listener.status()) == kOther) ++others;
        if (!listener.ok()) continue;
        ++bound;
        listener->Listen().IgnoreError();
        // Who answers is who has the address: nobody else connects to it.
        OwnedFd client = NonBlockingSocket(AF_UNIX);
        const bool reached =
            connect(client.get(), address.data(), address.size()) == 0;
        OwnedFd peer(accept(listener->fd(), nullptr, nullptr));
        if (!reached || !peer.valid()) ++lost;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(others, 0);
  EXPECT_GT(bound, 0);
  EXPECT_THAT(Entries(), ::testing::IsSubsetOf({"socket"}));
}

}  // namespace
}  // namespace troupe
