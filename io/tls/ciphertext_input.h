// Ciphertext on its way into OpenSSL: a BIO that reads the bytes where they
// are.
//
//   input.Push(std::move(bytes));        // keeps them, copies nothing
//   SSL_read(...);                       // SSL_ERROR_WANT_READ: all is read
//
// OpenSSL takes what it reads into its own buffer, half records too, so the
// bytes are let go as soon as they are read. One thread.
#ifndef TROUPE_IO_TLS_CIPHERTEXT_INPUT_H_
#define TROUPE_IO_TLS_CIPHERTEXT_INPUT_H_

#include <openssl/bio.h>

#include <list>

#include "io/bytes.h"

namespace troupe {

class CiphertextInput {
 public:
  CiphertextInput();
  CiphertextInput(const CiphertextInput&) = delete;
  CiphertextInput& operator=(const CiphertextInput&) = delete;
  ~CiphertextInput();

  // Null when there is no memory. Whoever keeps it counts a reference, and
  // reads nothing when the input is gone.
  BIO* bio() const { return bio_; }

  void Push(Bytes ciphertext);
  // Of the newest piece, if it is small and not read: its storage is free then.
  void KeepCopy();
  bool empty() const { return current_.empty(); }
  void Clear();

 private:
  static BIO_METHOD* Method();
  static int Read(BIO* bio, char* room, int size) noexcept;
  static long Control(BIO*, int, long, void*) noexcept;
  int Take(char* room, size_t size);

  BIO* const bio_;
  Bytes current_;             // empty: all is read
  std::list<Bytes> waiting_;  // behind it
};

}  // namespace troupe

#endif  // TROUPE_IO_TLS_CIPHERTEXT_INPUT_H_
