// Ciphertext on its way into OpenSSL: a memory BIO that reads the bytes where
// they are.
//
//   input.Push(std::move(bytes));        // keeps them, copies nothing
//   while (SSL_read(...) wants more && input.Advance()) ...
//
// OpenSSL takes what it reads into its own buffer, half records too, so the
// bytes are let go as soon as they are read. One thread.
#ifndef TROUPE_IO_TLS_CIPHERTEXT_INPUT_H_
#define TROUPE_IO_TLS_CIPHERTEXT_INPUT_H_

#include <openssl/buffer.h>
#include <openssl/types.h>

#include <list>

#include "io/bytes.h"

namespace troupe {

class CiphertextInput {
 public:
  CiphertextInput();
  CiphertextInput(const CiphertextInput&) = delete;
  CiphertextInput& operator=(const CiphertextInput&) = delete;
  ~CiphertextInput();

  // Null when there is no memory. Whoever keeps it counts a reference.
  BIO* bio() const { return bio_; }

  void Push(Bytes ciphertext);
  bool empty() const;

  // Once the BIO has run dry: lets it read the next bytes; false when there are
  // none.
  bool Advance();

  void Clear();

 private:
  void ReadFrom(Bytes ciphertext);

  BIO* const bio_;
  Bytes current_;
  BUF_MEM view_ = {};  // of current_; the BIO's, never written to
  std::list<Bytes> waiting_;
};

}  // namespace troupe

#endif  // TROUPE_IO_TLS_CIPHERTEXT_INPUT_H_
