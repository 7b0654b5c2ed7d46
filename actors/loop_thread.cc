#include "actors/loop_thread.h"

#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <latch>
#include <system_error>

#include "caf/actor_system.hpp"
#include "io/heap_room.h"
#include "io/os_error.h"
#include "io/thread_mask.h"

namespace troupe {
namespace {

void Run(Loop& loop, const std::string& name) {
  caf::actor_system& actors = loop.system().actors();
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  MakeHeapRoom();
  actors.thread_started();
  (void)loop.RunForever();  // nobody else runs it
  (void)loop.Close();
  actors.thread_terminates();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LoopThread>> LoopThread::Start(System& system,
                                                              Options options) {
  auto loop = Loop::Create(system, std::move(options.loop));
  if (!loop.ok()) return loop.status();
  std::unique_ptr<LoopThread> started(new LoopThread(*std::move(loop)));
  // Loop::Stop from another thread needs a loop that runs.
  std::latch running(1);
  started->loop_->CallSoon([&] { running.count_down(); });
  BlockAllSignals mask;  // what the new thread inherits
  try {
    started->thread_ = std::thread(
        [&loop = *started->loop_, name = options.name] { Run(loop, name); });
  } catch (const std::system_error& e) {
    return OsError(e.code().value(), "pthread_create", options.name);
  }
  running.wait();
  return started;
}

void LoopThread::Stop() {
  if (!thread_.joinable()) return;
  if (thread_.get_id() == std::this_thread::get_id()) {
    std::fputs("troupe: a loop's thread cannot be joined by itself\n", stderr);
    std::abort();
  }
  loop_->CallSoonThreadsafe([this] { loop_->Stop(); });
  thread_.join();
}

}  // namespace troupe
