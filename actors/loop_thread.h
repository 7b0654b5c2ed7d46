// A loop with a thread of its own.
//
//   auto thread = LoopThread::Start(*system);
//   if (!thread.ok()) return thread.status();
//   (*thread)->loop().CallSoonThreadsafe([] { ... });
//   self->send((*thread)->loop().actor(), CallLater{...});
//
// Any number of them may run in one process; nothing is shared between them.
// The loop runs when Start returns. Its thread takes no signals.
//
// Stop (or the destructor) ends the run after the current iteration, closes the
// loop on its thread, so what waits there is destroyed there, and joins. If the
// loop is stopped by somebody else (Loop::Stop, StopLoop), it is closed, too,
// and its thread ends; whoever may see that takes actor() before. Not from the
// thread itself, and before the system ends.
#ifndef TROUPE_ACTORS_LOOP_THREAD_H_
#define TROUPE_ACTORS_LOOP_THREAD_H_

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "actors/loop.h"
#include "actors/system.h"

namespace troupe {

class LoopThread {
 public:
  struct Options {
    Loop::Options loop;
    std::string name = "troupe.loop";  // at most 15 bytes are shown
  };

  static absl::StatusOr<std::unique_ptr<LoopThread>> Start(System& system,
                                                           Options options);
  static absl::StatusOr<std::unique_ptr<LoopThread>> Start(System& system) {
    return Start(system, Options());
  }

  ~LoopThread() { Stop(); }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  Loop& loop() const { return *loop_; }

  void Stop();

 private:
  explicit LoopThread(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}

  std::unique_ptr<Loop> loop_;
  std::thread thread_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_LOOP_THREAD_H_
