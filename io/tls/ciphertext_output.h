// Ciphertext on its way out of OpenSSL: a memory BIO whose content is taken
// away as it is.
//
//   SSL_write(...);                      // the one copy, into the BIO
//   output.Collect();
//   for (Bytes piece = output.Take(); !piece.empty(); piece = output.Take())
//   ...
//
// When all is taken it holds no memory. One thread; the pieces are anybody's.
#ifndef TROUPE_IO_TLS_CIPHERTEXT_OUTPUT_H_
#define TROUPE_IO_TLS_CIPHERTEXT_OUTPUT_H_

#include <openssl/buffer.h>
#include <openssl/types.h>

#include <cstddef>
#include <list>

#include "io/bytes.h"

namespace troupe {

class CiphertextOutput {
 public:
  CiphertextOutput();
  CiphertextOutput(const CiphertextOutput&) = delete;
  CiphertextOutput& operator=(const CiphertextOutput&) = delete;
  ~CiphertextOutput();

  // Null when there is no memory. Whoever keeps it counts a reference.
  BIO* bio() const { return bio_; }

  // Makes a piece of what was written to the BIO. A piece for each record, and
  // nothing is ever moved to make room.
  void Collect();

  // The next piece in order; empty when there is none.
  Bytes Take();

  // Of the pieces together.
  size_t size() const { return size_; }

 private:
  BIO* const bio_;
  BUF_MEM buffer_ = {};  // the BIO's to write to, ours to own
  std::list<Bytes> pieces_;
  size_t size_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_TLS_CIPHERTEXT_OUTPUT_H_
