// W7 with stream transports and a resident protocol actor for each connection.
#ifndef TROUPE_TESTS_BENCHMARKS_TROUPE_STREAM_ECHO_H_
#define TROUPE_TESTS_BENCHMARKS_TROUPE_STREAM_ECHO_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <semaphore>
#include <vector>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "io/io_thread.h"
#include "io/sockets/stream_messages.h"

namespace troupe {

class StreamEcho {
 public:
  explicit StreamEcho(const std::vector<int>& sockets);

  void Run();

 protected:
  using Spawn = std::function<StreamTransport(IoThread&)>;
  StreamEcho(const std::vector<int>& sockets, const Spawn& spawn);

 private:
  Config config_;
  caf::actor_system actors_{config_};
  std::unique_ptr<System> system_;
  const size_t connections_;
  std::counting_semaphore<> lost_{0};
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_TROUPE_STREAM_ECHO_H_
