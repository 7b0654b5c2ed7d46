#include "io/bytes.h"

#include <cstring>
#include <new>

namespace troupe {
namespace {

class StringStorage final : public ByteStorage {
 public:
  explicit StringStorage(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// The bytes lie behind it.
class CopyStorage final : public ByteStorage {
 public:
  static CopyStorage* Make(absl::string_view text) {
    void* memory = ::operator new(sizeof(CopyStorage) + text.size());
    auto* storage = new (memory) CopyStorage;
    std::memcpy(storage->data(), text.data(), text.size());
    return storage;
  }
  char* data() { return reinterpret_cast<char*>(this + 1); }

 private:
  CopyStorage() = default;
  ~CopyStorage() override = default;
  void Dispose() override {
    this->~CopyStorage();
    ::operator delete(this);
  }
};

}  // namespace

Bytes Bytes::Copy(absl::string_view text) {
  if (text.empty()) return Bytes();
  CopyStorage* storage = CopyStorage::Make(text);
  return Adopt(storage, storage->data(), text.size());
}

Bytes::Bytes(std::string text) {
  if (text.empty()) return;
  auto* storage = new StringStorage(std::move(text));
  storage_ = storage;
  data_ = storage->text().data();
  size_ = storage->text().size();
}

}  // namespace troupe
