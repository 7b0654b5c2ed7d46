// How a program of actors ends: an actor says with which exit code, the main
// thread hears it.
//
//   TakeNoSignals();                 // before there are other threads
//   ... actor system, System ...
//   Ending ending;
//   auto actor = SpawnRun(plan, ending.sayer());
//   TakeSignals();
//   return ending.Await(actor);
//
// Only the main thread takes signals, and from the end on not even that. For
// with the last subscriber a signal's default action returns, and the Ctrl-C
// that has just ended our child may be delivered to us a little later: it would
// end us by SIGINT instead of with our exit code.
#ifndef TROUPE_EXAMPLES_TROUPE_ENDING_H_
#define TROUPE_EXAMPLES_TROUPE_ENDING_H_

#include <future>
#include <memory>

#include "caf/actor_cast.hpp"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"

namespace troupe {

// On the calling thread, and on those it starts from now on.
void TakeNoSignals();

// Those that were taken before TakeNoSignals().
void TakeSignals();

class Ending {
 public:
  // For one actor, which sets it once and lives on.
  using Sayer = std::shared_ptr<std::promise<int>>;

  const Sayer& sayer() const { return sayer_; }

  // Waits for the exit code, then takes no more signals and ends the actor.
  template <class Actor>
  int Await(const Actor& actor) {
    int code = sayer_->get_future().get();
    TakeNoSignals();
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    return code;
  }

 private:
  Sayer sayer_ = std::make_shared<std::promise<int>>();
};

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_ENDING_H_
