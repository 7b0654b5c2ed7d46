#include "io/tls/ciphertext_input.h"

#include <openssl/bio.h>

#include <utility>

namespace troupe {

CiphertextInput::CiphertextInput() : bio_(BIO_new(BIO_s_mem())) {
  // What is read to its end may go on later.
  BIO_set_mem_eof_return(bio_, -1);
}

CiphertextInput::~CiphertextInput() {
  Clear();
  BIO_free(bio_);
}

void CiphertextInput::Push(Bytes ciphertext) {
  if (ciphertext.empty()) return;
  if (empty()) {
    ReadFrom(std::move(ciphertext));
  } else {
    waiting_.push_back(std::move(ciphertext));
  }
}

bool CiphertextInput::empty() const {
  return waiting_.empty() && BIO_pending(bio_) == 0;
}

bool CiphertextInput::Advance() {
  if (waiting_.empty()) {
    if (!current_.empty()) ReadFrom(Bytes());
    return false;
  }
  ReadFrom(std::move(waiting_.front()));
  waiting_.pop_front();
  return true;
}

void CiphertextInput::Clear() {
  waiting_.clear();
  ReadFrom(Bytes());
}

void CiphertextInput::ReadFrom(Bytes ciphertext) {
  current_ = std::move(ciphertext);
  view_ = {.length = current_.size(),
           .data = const_cast<char*>(current_.data()),
           .max = current_.size(),
           .flags = 0};
  BIO_set_mem_buf(bio_, &view_, BIO_NOCLOSE);
}

}  // namespace troupe
