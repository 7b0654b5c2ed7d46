// Ciphertext on its way out of OpenSSL: a BIO that makes a piece of each record
// that is written to it.
//
//   SSL_write(...);                      // the one copy, into a piece
//   for (Bytes piece = output.Take(); !piece.empty(); piece = output.Take())
//   ...
//
// Nothing is ever moved to make room. When all is taken it holds next to no
// memory. One thread; the pieces are anybody's.
#ifndef TROUPE_IO_TLS_CIPHERTEXT_OUTPUT_H_
#define TROUPE_IO_TLS_CIPHERTEXT_OUTPUT_H_

#include <openssl/bio.h>

#include <cstddef>
#include <vector>

#include "io/bytes.h"

namespace troupe {

class CiphertextOutput {
 public:
  CiphertextOutput();
  CiphertextOutput(const CiphertextOutput&) = delete;
  CiphertextOutput& operator=(const CiphertextOutput&) = delete;
  ~CiphertextOutput();

  // Null when there is no memory. Whoever keeps it counts a reference, and
  // writes nothing when the output is gone.
  BIO* bio() const { return bio_; }

  // The next piece in order; empty when there is none.
  Bytes Take();

  // Of the pieces together.
  size_t size() const { return size_; }

 private:
  static BIO_METHOD* Method();
  static int Write(BIO* bio, const char* data, int size) noexcept;
  static long Control(BIO*, int command, long, void*) noexcept;

  BIO* const bio_;
  // Before `first_` they are taken.
  std::vector<Bytes> pieces_;
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_TLS_CIPHERTEXT_OUTPUT_H_
