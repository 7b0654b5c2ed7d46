// libuv as a program in C++ would use it: its handles are embedded in what they
// serve, and where it has no call of its own (something to run soon) there is
// the usual queue next to a handle.
#ifndef TROUPE_TESTS_BENCHMARKS_LIBUV_UV_LOOP_H_
#define TROUPE_TESTS_BENCHMARKS_LIBUV_UV_LOOP_H_

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe {

class UvLoop {
 public:
  using Callback = std::function<void()>;

  UvLoop();
  ~UvLoop();
  UvLoop(const UvLoop&) = delete;
  UvLoop& operator=(const UvLoop&) = delete;

  // A queue and an idle handle, which keeps the loop from sleeping.
  void CallSoon(Callback callback);
  // An idle handle for each call, as long as it waits.
  void CallSoonWithHandle(Callback callback);
  // A mutex, a queue and uv_async_send.
  void CallSoonThreadsafe(Callback callback);

  void ReserveTimers(size_t count);
  void Arm(size_t index, int64_t delay_ns, Callback callback);
  int64_t Now() const { return int64_t(uv_now(&loop_)) * 1000000; }
  void ArmAt(size_t index, int64_t when_ns, Callback callback) {
    Arm(index, when_ns - Now(), std::move(callback));
  }
  void Cancel(size_t index) { uv_timer_stop(&timers_[index].handle); }
  void ForgetTimers() {}

  void AddReader(int fd, Callback callback);
  void RemoveReader(int fd);

  void OnSignal(int number, Callback callback);

  void Run() { uv_run(&loop_, UV_RUN_DEFAULT); }
  void RunOnce() { uv_run(&loop_, UV_RUN_NOWAIT); }
  void Stop() { uv_stop(&loop_); }

 private:
  template <class Handle>
  struct With {
    Handle handle;
    Callback callback;
  };
  template <class Handle>
  static void Call(Handle* handle) {
    static_cast<With<Handle>*>(handle->data)->callback();
  }

  void RunReady();
  void RunRemote();

  uv_loop_t loop_;
  uv_idle_t idle_;
  uv_async_t async_;
  std::vector<Callback> ready_;
  std::vector<Callback> running_;
  std::vector<With<uv_timer_t>> timers_;
  std::map<int, With<uv_poll_t>> readers_;
  std::deque<With<uv_signal_t>> signals_;

  std::mutex mutex_;  // guards what follows
  std::vector<Callback> remote_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_LIBUV_UV_LOOP_H_
