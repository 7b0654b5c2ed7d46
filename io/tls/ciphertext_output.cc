#include "io/tls/ciphertext_output.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include <utility>

namespace troupe {
namespace {

// A buffer that OpenSSL has allocated.
class OpenSslStorage final : public ByteStorage {
 public:
  explicit OpenSslStorage(char* data) : data_(data) {}

 private:
  ~OpenSslStorage() override { OPENSSL_free(data_); }

  char* const data_;
};

}  // namespace

CiphertextOutput::CiphertextOutput() : bio_(BIO_new(BIO_s_mem())) {
  BIO_set_mem_buf(bio_, &buffer_, BIO_NOCLOSE);
}

CiphertextOutput::~CiphertextOutput() {
  BIO_free(bio_);
  OPENSSL_free(buffer_.data);
}

void CiphertextOutput::Collect() {
  if (buffer_.length == 0) return;
  // It was grown by a third more than it needed; shrinks where it is.
  if (void* fitted = OPENSSL_realloc(buffer_.data, buffer_.length)) {
    buffer_.data = static_cast<char*>(fitted);
  }
  auto* storage = new OpenSslStorage(buffer_.data);
  pieces_.emplace_back(storage, buffer_.data, buffer_.length);
  storage->Release();
  size_ += buffer_.length;
  buffer_ = {};
  BIO_set_mem_buf(bio_, &buffer_, BIO_NOCLOSE);
}

Bytes CiphertextOutput::Take() {
  if (pieces_.empty()) return Bytes();
  Bytes piece = std::move(pieces_.front());
  pieces_.pop_front();
  size_ -= piece.size();
  return piece;
}

}  // namespace troupe
