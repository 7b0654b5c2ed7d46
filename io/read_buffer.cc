#include "io/read_buffer.h"

namespace troupe {
namespace {

constexpr size_t kLeastRoom = 4096;

}  // namespace

absl::Span<char> ReadBuffer::Room() {
  if (block_ != nullptr && Block::kSize - used_ < kLeastRoom) DropBlock();
  if (block_ == nullptr) block_ = pool_.Get();
  return absl::MakeSpan(block_->data() + used_, Block::kSize - used_);
}

std::pair<Bytes, Credit> ReadBuffer::Commit(size_t size) {
  std::shared_ptr<Charge> whole = block_charge_.lock();
  if (whole == nullptr) {
    whole = std::make_shared<Charge>(account_, Block::kSize);
    block_charge_ = whole;
  }
  size_t padding = size < kLeastCharge ? kLeastCharge - size : 0;
  Credit credit(std::make_shared<const Charge>(account_, kMessageCost + padding,
                                               std::move(whole)));
  Bytes bytes(block_, block_->data() + used_, size);
  used_ += size;
  return {std::move(bytes), std::move(credit)};
}

void ReadBuffer::GiveBackIfUnused() {
  if (used_ == 0) DropBlock();
}

void ReadBuffer::DropBlock() {
  if (block_ == nullptr) return;
  std::exchange(block_, nullptr)->Release();
  used_ = 0;
  block_charge_.reset();
}

}  // namespace troupe
