// Shows: another event loop, here plain poll(2), that hosts ours: one more
//        descriptor to wait for, one call when it is readable. Qt, GLib or a
//        game loop do the same with it.
// Run:   ./bazelw run //examples:host_in_poll, and type lines
// See:   what you type, read by the host, between three ticks of the loop and
//        a call from another thread.
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "actors/config.h"
#include "actors/loop.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"

namespace {

// The host's own business. False at the end of the input.
bool ReadInput() {
  char text[256];
  const ssize_t n = read(STDIN_FILENO, text, sizeof text);
  if (n <= 0) return false;
  std::cout << "host: " << absl::string_view(text, n) << std::flush;
  return true;
}

void RunHost(troupe::Loop& loop, const bool& done) {
  pollfd fds[] = {{STDIN_FILENO, POLLIN, 0}, {loop.fd(), POLLIN, 0}};
  while (!done) {
    // No timeout: the loop's timers make its descriptor readable, too.
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    if (fds[0].revents != 0 && !ReadInput()) fds[0].fd = -1;
    if (fds[1].revents != 0 && !loop.RunOnce().ok()) return;
  }
}

}  // namespace

int main() {
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  if (!system.ok()) return 1;
  auto made = troupe::Loop::Create(**system);
  if (!made.ok()) return 1;
  troupe::Loop& loop = **made;
  int ticks = 0;
  bool called = false;
  bool done = false;
  loop.CallEvery(absl::Milliseconds(100), [&] {
    std::cout << "loop: tick " << ++ticks << std::endl;
    done = ticks >= 3 && called;
  });
  std::thread other([&] {
    loop.CallSoonThreadsafe([&] {
      std::cout << "loop: called from another thread" << std::endl;
      called = true;
    });
  });
  RunHost(loop, done);
  other.join();
  return 0;
}
