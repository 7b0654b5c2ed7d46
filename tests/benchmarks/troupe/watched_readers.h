// Descriptors as `troupe-actor` watches them: one resident actor for all, told
// FdReady, edge-triggered and by credit.
#ifndef TROUPE_TESTS_BENCHMARKS_TROUPE_WATCHED_READERS_H_
#define TROUPE_TESTS_BENCHMARKS_TROUPE_WATCHED_READERS_H_

#include <functional>
#include <memory>
#include <semaphore>
#include <utility>
#include <vector>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"

namespace troupe {

class WatchedReaders {
 public:
  using Callback = std::function<void()>;
  using Readers = std::vector<std::pair<int, Callback>>;

  WatchedReaders();

  // Before Run. A callback takes all there is to read.
  void AddReader(int fd, Callback callback) {
    readers_->emplace_back(fd, std::move(callback));
  }
  void RemoveReader(int) {}  // the watch ends with the actor

  void Run();
  void Stop() { stopped_.release(); }

 private:
  Config config_;
  caf::actor_system actors_{config_};
  std::unique_ptr<System> system_;
  std::shared_ptr<Readers> readers_ = std::make_shared<Readers>();
  std::binary_semaphore stopped_{0};
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_TROUPE_WATCHED_READERS_H_
