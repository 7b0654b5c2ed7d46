// W7 with libuv: a pipe handle for each socket, one buffer for all reads,
// uv_try_write, and uv_write for what it does not take.
#ifndef TROUPE_TESTS_BENCHMARKS_LIBUV_UV_ECHO_H_
#define TROUPE_TESTS_BENCHMARKS_LIBUV_UV_ECHO_H_

#include <uv.h>

#include <cstddef>
#include <deque>
#include <vector>

namespace troupe {

class UvEcho {
 public:
  explicit UvEcho(const std::vector<int>& sockets);
  ~UvEcho();
  UvEcho(const UvEcho&) = delete;
  UvEcho& operator=(const UvEcho&) = delete;

  void Run() { uv_run(&loop_, UV_RUN_DEFAULT); }

 private:
  static void Allocate(uv_handle_t* handle, size_t, uv_buf_t* buffer);
  static void Read(uv_stream_t* stream, ssize_t got, const uv_buf_t* buffer);
  static void WriteRest(uv_stream_t* stream, const uv_buf_t& rest);

  uv_loop_t loop_;
  std::deque<uv_pipe_t> pipes_;
  std::vector<char> room_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_LIBUV_UV_ECHO_H_
