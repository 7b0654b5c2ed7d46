#include "io/read_buffer.h"

#include <algorithm>

namespace troupe {

absl::Span<char> ReadBuffer::Room(size_t least) {
  least = std::max(least, kLeastRoom);
  if (block_ != nullptr && Block::kSize - used_ < least) GiveBack();
  if (block_ == nullptr) block_ = pool_.Get();
  return absl::MakeSpan(block_->data() + used_, Block::kSize - used_);
}

std::pair<Bytes, Credit> ReadBuffer::Commit(size_t size) {
  const char* data = block_->data() + used_;
  if (size <= kMostCopied) return Charged(Bytes::Copy({data, size}));
  used_ += size;
  return {Bytes(block_, data, size),
          Credit(std::make_shared<const Charge>(account_, kMessageCost,
                                                ChargeOfBlock()))};
}

std::pair<Bytes, Credit> ReadBuffer::Charged(Bytes bytes) {
  const size_t amount = kMessageCost + std::max(bytes.size(), kLeastCharge);
  return {std::move(bytes),
          Credit(std::make_shared<const Charge>(account_, amount))};
}

std::shared_ptr<Charge> ReadBuffer::ChargeOfBlock() {
  std::shared_ptr<Charge> whole = block_charge_.lock();
  if (whole == nullptr) {
    whole = std::make_shared<Charge>(account_, Block::kSize);
    block_charge_ = whole;
  }
  return whole;
}

void ReadBuffer::GiveBack() {
  if (block_ == nullptr) return;
  std::exchange(block_, nullptr)->Release();
  used_ = 0;
  block_charge_.reset();
}

}  // namespace troupe
