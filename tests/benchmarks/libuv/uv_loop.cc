#include "tests/benchmarks/libuv/uv_loop.h"

#include <utility>

namespace troupe {

UvLoop::UvLoop() {
  uv_loop_init(&loop_);
  uv_idle_init(&loop_, &idle_);
  idle_.data = this;
  uv_async_init(&loop_, &async_, [](uv_async_t* async) {
    static_cast<UvLoop*>(async->data)->RunRemote();
  });
  async_.data = this;
}

UvLoop::~UvLoop() {
  auto close = [](uv_handle_t* handle, void*) {
    if (!uv_is_closing(handle)) uv_close(handle, nullptr);
  };
  uv_walk(&loop_, close, nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
  uv_library_shutdown();
}

void UvLoop::CallSoon(Callback callback) {
  if (ready_.empty()) {
    uv_idle_start(&idle_, [](uv_idle_t* idle) {
      static_cast<UvLoop*>(idle->data)->RunReady();
    });
  }
  ready_.push_back(std::move(callback));
}

void UvLoop::CallSoonWithHandle(Callback callback) {
  auto* call = new With<uv_idle_t>{{}, std::move(callback)};
  uv_idle_init(&loop_, &call->handle);
  call->handle.data = call;
  uv_idle_start(&call->handle, [](uv_idle_t* handle) {
    Call(handle);
    uv_close(reinterpret_cast<uv_handle_t*>(handle), [](uv_handle_t* closed) {
      delete static_cast<With<uv_idle_t>*>(closed->data);
    });
  });
}

void UvLoop::RunReady() {
  running_.swap(ready_);
  for (Callback& callback : running_) callback();
  running_.clear();
  if (ready_.empty()) uv_idle_stop(&idle_);
}

void UvLoop::CallSoonThreadsafe(Callback callback) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    remote_.push_back(std::move(callback));
  }
  uv_async_send(&async_);
}

void UvLoop::RunRemote() {
  std::vector<Callback> calls;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    calls.swap(remote_);
  }
  for (Callback& callback : calls) callback();
}

void UvLoop::ReserveTimers(size_t count) {
  timers_.resize(count);
  for (auto& timer : timers_) {
    uv_timer_init(&loop_, &timer.handle);
    timer.handle.data = &timer;
  }
}

void UvLoop::Arm(size_t index, int64_t delay_ns, Callback callback) {
  timers_[index].callback = std::move(callback);
  uv_timer_start(&timers_[index].handle, Call<uv_timer_t>, delay_ns / 1000000,
                 0);
}

void UvLoop::AddReader(int fd, Callback callback) {
  With<uv_poll_t>& reader = readers_[fd];
  reader.callback = std::move(callback);
  uv_poll_init(&loop_, &reader.handle, fd);
  reader.handle.data = &reader;
  uv_poll_start(&reader.handle, UV_READABLE,
                [](uv_poll_t* handle, int, int) { Call(handle); });
}

void UvLoop::RemoveReader(int fd) { uv_poll_stop(&readers_[fd].handle); }

void UvLoop::OnSignal(int number, Callback callback) {
  With<uv_signal_t>& signal = signals_.emplace_back();
  signal.callback = std::move(callback);
  uv_signal_init(&loop_, &signal.handle);
  signal.handle.data = &signal;
  uv_signal_start(
      &signal.handle, [](uv_signal_t* handle, int) { Call(handle); }, number);
}

}  // namespace troupe
