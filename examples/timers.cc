// Shows: the callbacks and timers of an event loop on this thread, and a timer
//        that sends a message instead.
// Run:   ./bazelw run //examples:timers
// See:   the order in which they run, a periodic one that cancels itself, how
//        late the latest was.
#include <iostream>
#include <string>

#include "absl/time/time.h"
#include "actors/config.h"
#include "actors/loop.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/event_based_actor.hpp"

namespace {

// Lives on one of CAF's workers; its answer comes back to the loop.
caf::behavior Greeter(caf::event_based_actor* self, troupe::Loop* loop) {
  return {[=](const std::string& name) {
    loop->CallSoonThreadsafe([=] {
      std::cout << "an actor got the message for " << name << '\n';
      loop->Stop();
    });
    self->quit();
  }};
}

void Run(troupe::Loop& loop, const caf::actor& greeter) {
  // Timers run by time, not in the order they were armed.
  loop.CallLater(absl::Milliseconds(15), [] { std::cout << "15 ms\n"; });
  loop.CallLater(absl::Milliseconds(5), [] { std::cout << "5 ms\n"; });

  // What a callback schedules runs in the next iteration.
  loop.CallSoon([&] {
    std::cout << "soon: first\n";
    loop.CallSoon([] { std::cout << "soon: from the first\n"; });
  });
  loop.CallSoon([] { std::cout << "soon: second\n"; });

  // A handle cancels, also from inside the callback. Any actor may be sent a
  // message, also one on another machine.
  troupe::CallHandle never = loop.CallLater(
      absl::Milliseconds(1), [] { std::cout << "cancelled, never seen\n"; });
  never.Cancel();
  int ticks = 0;
  troupe::CallHandle tick;
  tick = loop.CallEvery(absl::Milliseconds(9), [&] {
    std::cout << "tick " << ++ticks << '\n';
    if (ticks < 2) return;
    tick.Cancel();
    loop.SendLater(absl::Milliseconds(1), greeter, std::string("the loop"));
  });

  if (!loop.RunForever().ok()) return;
  troupe::LoopMetrics metrics = loop.Metrics();
  std::cout << metrics.callbacks << " callbacks, the latest timer "
            << metrics.longest_lag << " late\n";
}

}  // namespace

int main() {
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  if (!system.ok()) return 1;
  auto loop = troupe::Loop::Create(**system);
  if (!loop.ok()) {
    std::cerr << loop.status().message() << '\n';
    return 1;
  }
  Run(**loop, actors.spawn(Greeter, loop->get()));
  return 0;
}
