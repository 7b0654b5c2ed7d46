// A thread with an I/O actor on it: start one, hand its actor and host to
// those who need them, let it go last.
//
//   auto io = IoThread::Start(system);
//   if (!io.ok()) return io.status();
//   ReadTransport in = SpawnReadTransport((*io)->host(), (*io)->actor());
//
// Any number of them may run in one process; nothing is shared between them.
// A kPoll thread may block in what it serves; give each such descriptor a
// thread of its own.
//
// Stop (or the destructor) ends every resident, closes every descriptor that
// is still watched, and joins the thread. Not from the thread itself, and
// before the actor system ends.
#ifndef TROUPE_IO_IO_THREAD_H_
#define TROUPE_IO_IO_THREAD_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "io/clock.h"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/selector.h"

namespace troupe {

class IoThread {
 public:
  struct Options {
    SelectorKind selector = SelectorKind::kEpoll;
    std::string name = "troupe.io";  // at most 15 bytes are shown
    DebugSink debug = nullptr;       // see io_host.h
    // Outlives the thread; one that a test turns is virtual_clock.h.
    Clock* clock = &SystemClock::Get();
  };

  static absl::StatusOr<std::unique_ptr<IoThread>> Start(
      caf::actor_system& system, Options options);
  static absl::StatusOr<std::unique_ptr<IoThread>> Start(
      caf::actor_system& system) {
    return Start(system, Options());
  }

  ~IoThread() { Stop(); }
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  const IoActor& actor() const { return actor_; }
  IoHost& host() const { return *host_; }

  void Stop();

 private:
  explicit IoThread(std::shared_ptr<IoHost> host) : host_(std::move(host)) {}

  std::shared_ptr<IoHost> host_;
  IoActor actor_;
  std::thread thread_;
};

}  // namespace troupe

#endif  // TROUPE_IO_IO_THREAD_H_
