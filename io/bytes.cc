#include "io/bytes.h"

namespace troupe {
namespace {

class StringStorage final : public ByteStorage {
 public:
  explicit StringStorage(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

Bytes::Bytes(std::string text) {
  if (text.empty()) return;
  auto* storage = new StringStorage(std::move(text));
  storage_ = storage;
  data_ = storage->text().data();
  size_ = storage->text().size();
}

}  // namespace troupe
