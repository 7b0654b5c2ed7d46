// Everything a program needs of Troupe, made and unmade in the right order.
// Start reading here.
//
//   troupe::Config config;
//   caf::actor_system actors(config);
//   auto system = troupe::System::Start(actors);
//   if (!system.ok()) ...
//   troupe::Subprocess child = troupe::SpawnSubprocess((*system)->processes());
//   auto relay = (*system)->Signals();
//
// Two threads: one for the I/O actor and its residents, one for the spawner.
// An application actor may live on CAF's workers like any other, or next to
// the transports with SpawnResident(system.io().host(), ...).
//
// The destructor first waits for the program's own actors, as CAF's actor
// system does; then it ends what is left: a child whose subprocess still runs
// is killed and reaped, descriptors are closed, signal dispositions restored,
// threads joined. The actor system must outlive it.
#ifndef TROUPE_ACTORS_SYSTEM_H_
#define TROUPE_ACTORS_SYSTEM_H_

#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caf/fwd.hpp"
#include "io/io_thread.h"
#include "process/subprocess.h"
#include "signals/signal_messages.h"

namespace troupe {

class System {
 public:
  // Also raises the soft limit on descriptors to the hard one; children get
  // the old one back. An actor system whose scheduler polls (see config.h) gets
  // a line of warning on stderr. With TROUPE_DEBUG in the environment the
  // transports of io() write there what they do, and which of them was still
  // open at the end (rows R19, R22).
  static absl::StatusOr<std::unique_ptr<System>> Start(
      caf::actor_system& actors);
  ~System();
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  caf::actor_system& actors() const { return actors_; }
  IoThread& io() const { return *io_; }
  const ProcessServices& processes() const { return processes_; }

  // The signal relay, started by the first call, and by the first one after it
  // was closed or killed. There is one per process: FAILED_PRECONDITION if
  // another System has it. In the order of sending after BlockSignals(). Any
  // thread. A handler that was installed over ours and so left alone
  // (HandlerKept) is a line on stderr.
  absl::StatusOr<SignalRelay> Signals();

  // For a program whose main thread has nothing else to do: returns when the
  // program is asked to end (SIGINT, SIGTERM), and what it was made of can be
  // unmade. From then on these signals do what they did before, so that a
  // second Ctrl-C ends a program that hangs. Errors: those of Signals(). Not on
  // a thread of actors.
  absl::Status WaitForStop();

 private:
  explicit System(caf::actor_system& actors) : actors_(actors) {}

  caf::actor_system& actors_;
  std::unique_ptr<IoThread> spawner_thread_;
  std::unique_ptr<IoThread> io_;
  ProcessServices processes_;
  std::mutex relay_mutex_;
  SignalRelay relay_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_SYSTEM_H_
