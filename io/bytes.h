// An immutable run of bytes, shared, not copied: what travels between actors.
//
//   Bytes line(std::string("hello\n"));      // takes the string over
//   Bytes rest = chunk.Skip(5);              // same storage, no copy
//
// A Bytes is a slice of reference-counted storage: a pooled block that a read
// filled, or a string. Copying one costs an atomic increment. Any thread.
//
// A small slice keeps its whole storage alive (a block is 64 KiB): whoever
// keeps little of much for long copies it with ToString().
#ifndef TROUPE_IO_BYTES_H_
#define TROUPE_IO_BYTES_H_

#include <atomic>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace troupe {

// What bytes live in. Deleted by Dispose() when the last reference goes.
class ByteStorage {
 public:
  ByteStorage() = default;
  ByteStorage(const ByteStorage&) = delete;
  ByteStorage& operator=(const ByteStorage&) = delete;

  void AddReference() { references_.fetch_add(1, std::memory_order_relaxed); }
  // The last reference needs no atomic write: nobody is there to race with.
  void Release() {
    if (HasOneReference() ||
        references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      Dispose();
    }
  }
  // For who has a reference: whether it is the only one.
  bool HasOneReference() const {
    return references_.load(std::memory_order_acquire) == 1;
  }

 protected:
  virtual ~ByteStorage() = default;
  virtual void Dispose() { delete this; }
  // For storage that is used again: the first reference of its next life.
  void Revive() { references_.store(1, std::memory_order_relaxed); }

 private:
  std::atomic<int> references_{1};
};

class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string text);
  static Bytes Copy(absl::string_view text);  // one allocation

  // A slice of `storage`, which gains a reference.
  Bytes(ByteStorage* storage, const char* data, size_t size)
      : storage_(storage), data_(data), size_(size) {
    storage_->AddReference();
  }

  // The same with the reference that is the caller's.
  static Bytes Adopt(ByteStorage* storage, const char* data, size_t size) {
    Bytes bytes;
    bytes.storage_ = storage;
    bytes.data_ = data;
    bytes.size_ = size;
    return bytes;
  }

  Bytes(const Bytes& other)
      : storage_(other.storage_), data_(other.data_), size_(other.size_) {
    if (storage_ != nullptr) storage_->AddReference();
  }
  Bytes(Bytes&& other) noexcept
      : storage_(std::exchange(other.storage_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Bytes& operator=(Bytes other) noexcept {
    std::swap(storage_, other.storage_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Bytes() {
    if (storage_ != nullptr) storage_->Release();
  }

  const char* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  absl::string_view view() const { return absl::string_view(data_, size_); }
  std::string ToString() const { return std::string(data_, size_); }

  // All but the first `n` (at most size()) bytes.
  Bytes Skip(size_t n) const {
    Bytes rest = *this;
    rest.data_ += n;
    rest.size_ -= n;
    return rest;
  }

  // The first `n` (at most size()) bytes, which this one loses. Nothing taken
  // holds no storage, nor does this one when it has lost all.
  Bytes TakeFirst(size_t n) {
    if (n == 0) return Bytes();
    if (n == size_) return std::move(*this);
    Bytes first = *this;
    first.size_ = n;
    data_ += n;
    size_ -= n;
    return first;
  }

 private:
  ByteStorage* storage_ = nullptr;
  const char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_BYTES_H_
