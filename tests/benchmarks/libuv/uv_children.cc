#include "tests/benchmarks/libuv/uv_children.h"

#include <cstdlib>

namespace troupe {

UvChildren::UvChildren(std::string program)
    : ChildrenSubject(std::move(program)) {
  uv_loop_init(&loop_);
  loop_.data = this;
}

UvChildren::~UvChildren() {
  uv_loop_close(&loop_);
  uv_library_shutdown();  // its descriptors of the whole process
}

void UvChildren::OnReadable(int fd, std::function<void()> f) {
  readable_ = std::move(f);
  uv_poll_init(&loop_, &poll_, fd);
  uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int, int) {
    static_cast<UvChildren*>(poll->loop->data)->readable_();
  });
}

void UvChildren::Start(int stdin_fd) {
  std::unique_ptr<uv_process_t> process;
  if (free_.empty()) {
    process = std::make_unique<uv_process_t>();
  } else {
    process = std::move(free_.back());
    free_.pop_back();
  }
  char* argv[] = {const_cast<char*>(program_.c_str()), nullptr};
  uv_stdio_container_t stdio[3] = {};
  for (int i = 0; i < 3; ++i) {
    stdio[i].flags = UV_INHERIT_FD;
    stdio[i].data.fd = i == 0 ? stdin_fd : i;
  }
  uv_process_options_t options = {};
  options.file = program_.c_str();
  options.args = argv;
  options.stdio = stdio;
  options.stdio_count = 3;
  options.exit_cb = [](uv_process_t* process, int64_t status, int signal) {
    process->data = reinterpret_cast<void*>(
        signal != 0 ? -intptr_t{signal} : static_cast<intptr_t>(status));
    uv_close(reinterpret_cast<uv_handle_t*>(process), [](uv_handle_t* handle) {
      auto* self = static_cast<UvChildren*>(handle->loop->data);
      const int code =
          static_cast<int>(reinterpret_cast<intptr_t>(handle->data));
      self->free_.emplace_back(reinterpret_cast<uv_process_t*>(handle));
      self->ended_(code);
    });
  };
  if (uv_spawn(&loop_, process.get(), &options) != 0) abort();
  pids_.push_back(process.release()->pid);  // until it is closed
  if (started_) started_();
}

void UvChildren::Run(const std::function<void()>& begin) {
  begin();
  uv_run(&loop_, UV_RUN_DEFAULT);
}

void UvChildren::Stop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), nullptr);
}

}  // namespace troupe
