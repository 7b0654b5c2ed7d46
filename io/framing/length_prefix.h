// How a frame's length is written in front of it: what both ends agree on.
//
//   LengthPrefix prefix{.width = 2};
//   auto header = prefix.Encode(payload.size());   // sent before the payload
//
// A value; any thread.
#ifndef TROUPE_IO_FRAMING_LENGTH_PREFIX_H_
#define TROUPE_IO_FRAMING_LENGTH_PREFIX_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/bytes.h"

namespace troupe {

struct LengthPrefix {
  enum class Order { kBigEndian, kLittleEndian };

  int width = 4;  // bytes: 1, 2, 4 or 8
  Order order = Order::kBigEndian;
  bool counts_itself = false;  // the length is that of prefix and payload

  // INVALID_ARGUMENT for any other width.
  absl::Status Check() const;

  // The prefix of a payload of `size` bytes. INVALID_ARGUMENT if it does not
  // fit.
  absl::StatusOr<Bytes> Encode(uint64_t size) const;

  // The payload's size, from the `width` bytes of a prefix. Nothing if it
  // counts itself and is less than that.
  std::optional<uint64_t> Decode(absl::string_view prefix) const;
};

}  // namespace troupe

#endif  // TROUPE_IO_FRAMING_LENGTH_PREFIX_H_
