#include "io/framing/length_prefix.h"

#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace troupe {

absl::Status LengthPrefix::Check() const {
  if (width == 1 || width == 2 || width == 4 || width == 8) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("a length has 1, 2, 4 or 8 bytes, not ", width));
}

absl::StatusOr<Bytes> LengthPrefix::Encode(uint64_t size) const {
  if (absl::Status status = Check(); !status.ok()) return status;
  uint64_t own = counts_itself ? width : 0;
  uint64_t largest = std::numeric_limits<uint64_t>::max() >> (64 - 8 * width);
  if (size > largest - own) {
    return absl::InvalidArgumentError(
        absl::StrCat("a frame of ", size, " bytes does not fit a length of ",
                     width, width == 1 ? " byte" : " bytes"));
  }
  std::string prefix(width, '\0');
  for (int i = 0; i < width; ++i) {
    int at = order == Order::kLittleEndian ? i : width - 1 - i;
    prefix[at] = static_cast<char>((size + own) >> (8 * i));
  }
  return Bytes(std::move(prefix));
}

std::optional<uint64_t> LengthPrefix::Decode(absl::string_view prefix) const {
  uint64_t length = 0;
  for (int i = 0; i < width; ++i) {
    int at = order == Order::kLittleEndian ? width - 1 - i : i;
    length = length << 8 | static_cast<unsigned char>(prefix[at]);
  }
  uint64_t own = counts_itself ? width : 0;
  if (length < own) return std::nullopt;
  return length - own;
}

}  // namespace troupe
