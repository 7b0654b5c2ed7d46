// Bytes that tell when the last reference to them has gone.
//
//   int alive = 0;
//   session.Receive(TracedBytes("text", &alive));
//   EXPECT_EQ(alive, 0);
#ifndef TROUPE_TESTS_IO_TLS_TRACED_BYTES_H_
#define TROUPE_TESTS_IO_TLS_TRACED_BYTES_H_

#include <string>
#include <utility>

#include "io/bytes.h"

namespace troupe {

class TracedStorage final : public ByteStorage {
 public:
  TracedStorage(std::string text, int* alive)
      : text_(std::move(text)), alive_(alive) {
    ++*alive_;
  }
  const std::string& text() const { return text_; }

 private:
  ~TracedStorage() override { --*alive_; }

  const std::string text_;
  int* const alive_;
};

inline Bytes TracedBytes(std::string text, int* alive) {
  auto* storage = new TracedStorage(std::move(text), alive);
  Bytes bytes(storage, storage->text().data(), storage->text().size());
  storage->Release();
  return bytes;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_TLS_TRACED_BYTES_H_
