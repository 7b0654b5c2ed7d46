#include "io/tls/ciphertext_input.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe {
namespace {

// What is larger is worth its block.
constexpr size_t kMostCopied = 4096;

}  // namespace

CiphertextInput::CiphertextInput() : bio_(BIO_new(Method())) {
  if (bio_ == nullptr) return;
  BIO_set_data(bio_, this);
  BIO_set_init(bio_, 1);
}

CiphertextInput::~CiphertextInput() {
  if (bio_ != nullptr) BIO_set_init(bio_, 0);
  BIO_free(bio_);
}

void CiphertextInput::Push(Bytes ciphertext) {
  if (ciphertext.empty()) return;
  if (empty()) {
    current_ = std::move(ciphertext);
  } else {
    waiting_.push_back(std::move(ciphertext));
  }
}

void CiphertextInput::KeepCopy() {
  Bytes& newest = waiting_.empty() ? current_ : waiting_.back();
  if (newest.empty() || newest.size() > kMostCopied) return;
  newest = Bytes::Copy(newest.view());
}

void CiphertextInput::Clear() {
  waiting_.clear();
  current_ = Bytes();
}

// As long as the program: sessions of any thread use it.
BIO_METHOD* CiphertextInput::Method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
                                    "ciphertext input");
    BIO_meth_set_read(made, &Read);
    BIO_meth_set_ctrl(made, &Control);
    return made;
  }();
  return method;
}

// A BIO's: -1 with the flag for `later` when there is nothing.
int CiphertextInput::Read(BIO* bio, char* room, int size) noexcept {
  auto* input = static_cast<CiphertextInput*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (!input->empty()) return input->Take(room, size);
  BIO_set_retry_read(bio);
  return -1;
}

// What a socket is asked for, there is not.
long CiphertextInput::Control(BIO*, int, long, void*) noexcept { return 0; }

int CiphertextInput::Take(char* room, size_t size) {
  size = std::min(size, current_.size());
  std::memcpy(room, current_.data(), size);
  current_.TakeFirst(size);
  if (empty() && !waiting_.empty()) {
    current_ = std::move(waiting_.front());
    waiting_.pop_front();
  }
  return size;
}

}  // namespace troupe
