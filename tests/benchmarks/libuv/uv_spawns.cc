#include "tests/benchmarks/libuv/uv_spawns.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace troupe {

UvSpawns::UvSpawns(std::string program, const SpawnOptions& options)
    : program_(std::move(program)),
      argv_{const_cast<char*>(program_.c_str()), nullptr},
      environment_{const_cast<char*>(kPlaceEnvironment[0]),
                   const_cast<char*>(kPlaceEnvironment[1]),
                   const_cast<char*>(kPlaceEnvironment[2]), nullptr} {
  uv_loop_init(&loop_);
  loop_.data = this;
  for (int i = 0; i < 3; ++i) {
    stdio_[i].flags = UV_INHERIT_FD;
    stdio_[i].data.fd = i;
  }
  options_.file = program_.c_str();
  options_.args = argv_;
  options_.stdio = stdio_;
  options_.stdio_count = 3;
  options_.exit_cb = [](uv_process_t* process, int64_t status, int) {
    if (status != 0) abort();
    uv_close(reinterpret_cast<uv_handle_t*>(process), [](uv_handle_t* handle) {
      static_cast<UvSpawns*>(handle->loop->data)->Ended();
    });
  };
  if (options.place) {
    options_.cwd = kPlaceFolder;
    options_.env = environment_;
  }
  if (options.session) options_.flags |= UV_PROCESS_DETACHED;
  if (options.ids) {
    options_.flags |= UV_PROCESS_SETUID | UV_PROCESS_SETGID;
    options_.uid = options_.gid = getuid() == 0 ? kNobody : getuid();
  }
}

UvSpawns::~UvSpawns() {
  uv_loop_close(&loop_);
  uv_library_shutdown();  // its descriptors of the whole process
}

void UvSpawns::Run(int64_t count) {
  left_ = count;
  Start();
  uv_run(&loop_, UV_RUN_DEFAULT);
}

void UvSpawns::Start() {
  if (uv_spawn(&loop_, &process_, &options_) != 0) abort();
}

void UvSpawns::Ended() {
  if (--left_ > 0) Start();
}

}  // namespace troupe
