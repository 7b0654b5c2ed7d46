#include "io/tls/ciphertext_output.h"

#include <utility>

#include "absl/strings/string_view.h"

namespace troupe {
namespace {

// Nothing to take has room for as many pieces: the records of 64 KiB.
constexpr size_t kMostKept = 4;

}  // namespace

CiphertextOutput::CiphertextOutput() : bio_(BIO_new(Method())) {
  if (bio_ == nullptr) return;
  BIO_set_data(bio_, this);
  BIO_set_init(bio_, 1);
}

CiphertextOutput::~CiphertextOutput() {
  if (bio_ != nullptr) BIO_set_init(bio_, 0);
  BIO_free(bio_);
}

Bytes CiphertextOutput::Take() {
  if (first_ == pieces_.size()) return Bytes();
  Bytes piece = std::move(pieces_[first_++]);
  size_ -= piece.size();
  if (first_ == pieces_.size()) {
    if (pieces_.capacity() > kMostKept) pieces_ = std::vector<Bytes>();
    pieces_.clear();
    first_ = 0;
  }
  return piece;
}

// As long as the program: sessions of any thread use it.
BIO_METHOD* CiphertextOutput::Method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
                                    "ciphertext output");
    BIO_meth_set_write(made, &Write);
    BIO_meth_set_ctrl(made, &Control);
    return made;
  }();
  return method;
}

int CiphertextOutput::Write(BIO* bio, const char* data, int size) noexcept {
  auto* output = static_cast<CiphertextOutput*>(BIO_get_data(bio));
  output->pieces_.push_back(
      Bytes::Copy(absl::string_view(data, static_cast<size_t>(size))));
  output->size_ += size;
  return size;
}

// A flush succeeds; what a socket is asked for, there is not.
long CiphertextOutput::Control(BIO*, int command, long, void*) noexcept {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

}  // namespace troupe
