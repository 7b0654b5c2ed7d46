// What is to be written through TLS and cannot be encrypted yet: before the
// handshake is done, or because a file in front of it is not sent. In order.
// One thread.
#ifndef TROUPE_IO_SOCKETS_PLAINTEXT_QUEUE_H_
#define TROUPE_IO_SOCKETS_PLAINTEXT_QUEUE_H_

#include <cstddef>
#include <deque>
#include <utility>

#include "io/bytes.h"
#include "io/credit.h"
#include "io/sockets/file_transfer.h"

namespace troupe {

class PlaintextQueue {
 public:
  void Push(Bytes bytes, Credit credit) {
    size_ += bytes.size();
    entries_.push_back({std::move(bytes), std::move(credit), nullptr});
  }
  void Push(FileTransfer::Shared file) {
    entries_.push_back({Bytes(), Credit(), std::move(file)});
  }
  void Clear() {
    entries_.clear();
    size_ = 0;
  }

  bool empty() const { return entries_.empty(); }
  // In memory: a file is not.
  size_t size() const { return size_; }

  // The first entry, which there is: null if it is bytes.
  const FileTransfer::Shared& file() const { return entries_.front().file; }
  void PopFile() { entries_.pop_front(); }
  std::pair<Bytes, Credit> PopBytes() {
    Entry first = std::move(entries_.front());
    entries_.pop_front();
    size_ -= first.bytes.size();
    return {std::move(first.bytes), std::move(first.credit)};
  }

 private:
  struct Entry {
    Bytes bytes;
    Credit credit;
    FileTransfer::Shared file;  // instead of bytes
  };

  std::deque<Entry> entries_;
  size_t size_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_PLAINTEXT_QUEUE_H_
