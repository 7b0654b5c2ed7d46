// What a child has written, up to a limit: the first bytes and the last ones.
//
//   CapturedOutput captured({.head = 64 * 1024, .tail = 64 * 1024});
//   captured.Add(chunk);
//   CapturedText text = captured.Take();    // as new after it
//   text.truncated()                        // something is missing in between
//
// Nobody is stopped by the limit, and nothing fails at it: what is between head
// and tail is dropped and counted. The tail is a ring; each byte is copied
// once, and a chunk longer than the ring is not looked at but for its end.
// Memory: the head grows as it comes, the tail as well, up to their limits.
//
// One thread.
#ifndef TROUPE_PROCESS_CAPTURED_OUTPUT_H_
#define TROUPE_PROCESS_CAPTURED_OUTPUT_H_

#include <cstddef>
#include <limits>
#include <string>

#include "absl/strings/string_view.h"

namespace troupe {

// In bytes. Everything, if nothing else is said.
struct CaptureLimits {
  size_t head = std::numeric_limits<size_t>::max();
  size_t tail = 0;
};

struct CapturedText {
  std::string head;
  size_t dropped = 0;  // bytes between them
  std::string tail;

  bool truncated() const { return dropped > 0; }
  size_t size() const { return head.size() + dropped + tail.size(); }
  // "abc[... 12 bytes dropped ...]xyz", or just the text.
  std::string ToString() const;
};

class CapturedOutput {
 public:
  explicit CapturedOutput(CaptureLimits limits = {}) : limits_(limits) {}

  void Add(absl::string_view bytes);
  bool empty() const { return head_.empty() && tail_.empty() && dropped_ == 0; }
  CapturedText Take();

 private:
  void AddToTail(absl::string_view bytes);

  const CaptureLimits limits_;
  std::string head_;
  std::string tail_;      // a ring once it is full
  size_t tail_next_ = 0;  // its oldest byte then
  size_t dropped_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_CAPTURED_OUTPUT_H_
