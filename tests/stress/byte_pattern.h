// What the streams of a test carry, so that a byte that is lost, doubled,
// swapped or another stream's is seen at its place.
//
//   BytePattern pattern(seed);
//   Write{Bytes::Copy(pattern.View(7, sent, size)), {}};
//   EXPECT_EQ(got.view(), pattern.View(7, received, got.size()));
//
// Random bytes, which each stream enters at a place of its own: the same as a
// function of stream and offset, at memcmp's speed. A stream comes round after
// kPeriod bytes. Any thread.
#ifndef TROUPE_TESTS_STRESS_BYTE_PATTERN_H_
#define TROUPE_TESTS_STRESS_BYTE_PATTERN_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include "absl/strings/string_view.h"

namespace troupe {

class BytePattern {
 public:
  static constexpr size_t kPeriod = 4'194'301;  // a prime
  static constexpr size_t kMostAtOnce = 256 * 1024;

  explicit BytePattern(uint64_t seed) {
    std::mt19937_64 random(seed);
    bytes_.reserve(kPeriod + kMostAtOnce);
    while (bytes_.size() < kPeriod) {
      bytes_.push_back(static_cast<char>(random()));
    }
    bytes_.append(bytes_, 0, kMostAtOnce);
  }

  // `size` is at most kMostAtOnce.
  absl::string_view View(uint64_t stream, size_t offset, size_t size) const {
    const uint64_t start = (stream * 0x9E3779B97F4A7C15u) >> 11;
    return absl::string_view(bytes_).substr((start + offset) % kPeriod, size);
  }

 private:
  std::string bytes_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_STRESS_BYTE_PATTERN_H_
