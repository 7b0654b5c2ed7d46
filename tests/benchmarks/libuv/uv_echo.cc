#include "tests/benchmarks/libuv/uv_echo.h"

#include <algorithm>
#include <cstdlib>

namespace troupe {
namespace {

struct Rest {
  uv_write_t request;
  std::vector<char> bytes;
};

}  // namespace

UvEcho::UvEcho(const std::vector<int>& sockets) : room_(64 * 1024) {
  uv_loop_init(&loop_);
  loop_.data = this;
  for (int fd : sockets) {
    uv_pipe_t& pipe = pipes_.emplace_back();
    uv_pipe_init(&loop_, &pipe, 0);
    if (uv_pipe_open(&pipe, fd) != 0) abort();
    uv_read_start(reinterpret_cast<uv_stream_t*>(&pipe), Allocate, Read);
  }
}

UvEcho::~UvEcho() {
  if (uv_loop_close(&loop_) != 0) abort();
  uv_library_shutdown();  // its descriptors of the whole process
}

void UvEcho::Allocate(uv_handle_t* handle, size_t, uv_buf_t* buffer) {
  auto& room = static_cast<UvEcho*>(handle->loop->data)->room_;
  *buffer = uv_buf_init(room.data(), room.size());
}

void UvEcho::Read(uv_stream_t* stream, ssize_t got, const uv_buf_t* buffer) {
  if (got < 0) {
    uv_close(reinterpret_cast<uv_handle_t*>(stream), nullptr);
    return;
  }
  if (got == 0) return;
  uv_buf_t out = uv_buf_init(buffer->base, got);
  const int sent = std::max(uv_try_write(stream, &out, 1), 0);
  if (sent == got) return;
  WriteRest(stream, uv_buf_init(out.base + sent, got - sent));
}

void UvEcho::WriteRest(uv_stream_t* stream, const uv_buf_t& rest) {
  auto* kept = new Rest{{}, {rest.base, rest.base + rest.len}};
  kept->request.data = kept;
  uv_buf_t out = uv_buf_init(kept->bytes.data(), kept->bytes.size());
  uv_write(&kept->request, stream, &out, 1, [](uv_write_t* request, int) {
    delete static_cast<Rest*>(request->data);
  });
}

}  // namespace troupe
