#include "io/read_buffer.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "absl/strings/string_view.h"
#include "io/spare_memory.h"

namespace troupe {
namespace {

// Bytes and their charge in one piece of memory; the bytes lie behind it. Gone
// when neither is used. It is spare memory mostly: a chunk whose handler ran
// and let go of it before the next one is read.
class ChargedCopy final : public ByteStorage, public SharedCharge {
 public:
  static std::pair<Bytes, Credit> Make(absl::string_view text,
                                       std::shared_ptr<CreditAccount> account,
                                       size_t amount, SpareMemory& spare) {
    static_assert(sizeof(ChargedCopy) + ReadBuffer::kMostCopied <=
                  SpareMemory::kBytes);
    void* memory = spare.Take();
    const bool is_spare = memory != nullptr;
    if (!is_spare) memory = ::operator new(sizeof(ChargedCopy) + text.size());
    auto* copy = new (memory) ChargedCopy(std::move(account), amount, is_spare);
    char* data = reinterpret_cast<char*>(copy + 1);
    std::memcpy(data, text.data(), text.size());
    return {Bytes::Adopt(copy, data, text.size()), Credit(copy)};
  }

 private:
  ChargedCopy(std::shared_ptr<CreditAccount> account, size_t amount, bool spare)
      : SharedCharge(std::move(account), amount, nullptr), spare_(spare) {}
  ~ChargedCopy() override = default;

  // Of both: one of them is not used any more.
  void Dispose() override {
    if (uses_.load(std::memory_order_acquire) != 1 &&
        uses_.fetch_sub(1, std::memory_order_acq_rel) != 1) {
      return;
    }
    const bool spare = spare_;
    this->~ChargedCopy();
    if (spare) return SpareMemory::GiveBack(this);
    ::operator delete(this);
  }

  std::atomic<int> uses_{2};
  const bool spare_;
};

}  // namespace

absl::Span<char> ReadBuffer::Room(size_t least) {
  least = std::max(least, kLeastRoom);
  if (block_ != nullptr && Block::kSize - used_ < least) GiveBack();
  if (block_ == nullptr) block_ = pool_.Get();
  return absl::MakeSpan(block_->data() + used_, Block::kSize - used_);
}

std::pair<Bytes, Credit> ReadBuffer::Commit(size_t size) {
  const char* data = block_->data() + used_;
  if (size <= kMostCopied) {
    return ChargedCopy::Make({data, size}, account_, CostOf(size),
                             pool_.spare_memory());
  }
  used_ += size;
  return {Bytes(block_, data, size),
          Credit(account_, kMessageCost, ChargeOfBlock())};
}

Bytes ReadBuffer::Lend(size_t size) {
  const char* data = block_->data() + used_;
  used_ += size;
  return Bytes(block_, data, size);
}

std::pair<Bytes, Credit> ReadBuffer::Charged(Bytes bytes) {
  const size_t amount = CostOf(bytes.size());
  return {std::move(bytes), Credit(account_, amount)};
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
  pool_.Put(std::exchange(block_, nullptr));
  used_ = 0;
  block_charge_.reset();
}

}  // namespace troupe
