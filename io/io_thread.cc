#include "io/io_thread.h"

#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "caf/actor_system.hpp"
#include "io/heap_room.h"
#include "io/io_actor.h"
#include "io/os_error.h"
#include "io/thread_mask.h"

namespace troupe {

absl::StatusOr<std::unique_ptr<IoThread>> IoThread::Start(
    caf::actor_system& system, Options options) {
  auto host = IoHost::Create(system, options.selector, *options.clock);
  if (!host.ok()) return host.status();
  (*host)->SetDebugSink(std::move(options.debug));
  std::unique_ptr<IoThread> io(new IoThread(*std::move(host)));
  BlockAllSignals mask;  // what the new thread inherits
  try {
    io->thread_ = std::thread([host = io->host_, name = options.name] {
      pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
      MakeHeapRoom();
      host->system().thread_started();
      host->Run();
      host->system().thread_terminates();
    });
  } catch (const std::system_error& e) {
    return OsError(e.code().value(), "pthread_create", options.name);
  }
  io->actor_ = SpawnIoActor(*io->host_);
  return io;
}

void IoThread::Stop() {
  if (!thread_.joinable()) return;
  if (thread_.get_id() == std::this_thread::get_id()) {
    std::fputs("troupe: an I/O thread cannot be stopped by itself\n", stderr);
    std::abort();
  }
  host_->RequestStop();
  thread_.join();
  actor_ = IoActor();
}

}  // namespace troupe
