// W1 with libuv, which has not all of the options.
#ifndef TROUPE_TESTS_BENCHMARKS_LIBUV_UV_SPAWNS_H_
#define TROUPE_TESTS_BENCHMARKS_LIBUV_UV_SPAWNS_H_

#include <uv.h>

#include <cstdint>
#include <string>

#include "tests/benchmarks/workloads/spawns.h"

namespace troupe {

class UvSpawns {
 public:
  UvSpawns(std::string program, const SpawnOptions& options);
  ~UvSpawns();
  UvSpawns(const UvSpawns&) = delete;
  UvSpawns& operator=(const UvSpawns&) = delete;

  void Run(int64_t count);

 private:
  void Start();
  void Ended();

  const std::string program_;
  uv_loop_t loop_;
  uv_process_t process_;
  uv_process_options_t options_ = {};
  uv_stdio_container_t stdio_[3] = {};
  char* argv_[2];
  char* environment_[4];
  int64_t left_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_LIBUV_UV_SPAWNS_H_
