// Reads one descriptor when it is ready, as far as credit goes: what every
// transport that reads has inside.
//
//   ReadSide reading(table, pool, may_block, receiver, window, wake);
//   reading.Open(watch, fd, kind);      // from now on: receiver.OnChunk...
//   reading.OnReady(readiness);         // when the watch says so
//   reading.OnCredit();                 // when `wake` was called
//
// Nothing is read while the side is paused, while `window` bytes, counted as
// the memory they cost, are in flight, or after OnEof or OnReadError, of which
// one comes last, if Close does not come first. A receiver may call anything
// here from its functions. One thread, the watch table's; only `wake` is called
// on any.
#ifndef TROUPE_IO_READ_SIDE_H_
#define TROUPE_IO_READ_SIDE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "io/block_pool.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/descriptor_kind.h"
#include "io/read_buffer.h"
#include "io/readiness.h"
#include "io/transfer.h"
#include "io/transport_info.h"
#include "io/watch_id.h"
#include "io/watch_table.h"

namespace troupe {

class ReadSide {
 public:
  class Receiver {
   public:
    // Nobody is there any more to take what would be read, and Close follows.
    virtual bool ReceiverGone() = 0;
    // Empty only for an empty message (DescriptorKind::kMessageSocket).
    virtual void OnChunk(Bytes bytes, Credit credit) = 0;
    virtual void OnEof() = 0;
    virtual void OnReadError(absl::Status why) = 0;

   protected:
    ~Receiver() = default;
  };

  // Reads otherwise than ReadSome does, and takes what comes beside the bytes.
  class Reader {
   public:
    // `delivered` bytes came before.
    virtual TransferResult Read(int fd, absl::Span<char> room,
                                size_t delivered) = 0;

   protected:
    ~Reader() = default;
  };

  // All borrowed. What may block is read only when the watch just said so.
  ReadSide(WatchTable& table, BlockPool& pool, bool may_block,
           Receiver& receiver, size_t window, std::function<void()> wake);
  ~ReadSide() { Close(); }

  // Before Open; borrowed.
  void SetReader(Reader* reader) { reader_ = reader; }

  // What is no end although it looks like one, or the other way round (row
  // A24).
  struct Ends {
    // Of a FIFO: its last writer has closed, but another one may come. Not for
    // what may block: poll would report it again and again.
    bool outlast_writers = false;
    // Of a terminal: the other side hung up, which it reports as EIO.
    bool hang_up_is_end = false;
  };
  void SetEnds(Ends ends) { ends_ = ends; }

  void Open(WatchId watch, int fd, DescriptorKind kind);
  void Close();
  bool open() const { return open_; }

  // Before Open, too.
  void Pause() { paused_ = true; }
  void Resume();
  bool paused() const { return paused_; }

  void OnReady(Readiness readiness);
  void OnCredit() { Arm(); }

  // For a receiver that makes something else of the chunks (TLS). Before Open:
  // chunks are lent, slices of a block without credit, and whoever keeps one
  // beyond OnChunk keeps its block.
  void LendChunks() { lends_ = true; }
  // Whether what it made may be delivered now, else `wake` is called when it
  // may; and where it is put and charged. Also after the end of reading.
  bool MayDeliver() {
    return !paused_ && (account_->MayCharge() || !account_->Park());
  }
  ReadBuffer& buffer() { return buffer_; }

  // For what comes beside the bytes.
  Credit Charge(size_t amount) { return Credit(account_, amount); }

  ReadingInfo Info() const;

 private:
  void Arm();
  bool ReadOnce(Readiness readiness);
  bool ReadChunk(Readiness readiness);
  bool ReadMessage();
  TransferResult Read(absl::Span<char> room);
  bool Nothing();
  bool Eof();
  void Deliver(std::pair<Bytes, Credit> chunk);
  bool Fail(int error_number);

  WatchTable& table_;
  Receiver& receiver_;
  const std::shared_ptr<CreditAccount> account_;
  ReadBuffer buffer_;
  WatchId watch_;
  int fd_ = -1;
  DescriptorKind kind_ = DescriptorKind::kOther;
  Reader* reader_ = nullptr;  // none: ReadSome
  Ends ends_;
  size_t delivered_ = 0;
  const bool may_block_;
  bool lends_ = false;
  bool open_ = false;
  bool paused_ = false;
  bool armed_ = false;     // one OnReady is outstanding
  bool readable_ = false;  // stopped before the descriptor was drained
};

}  // namespace troupe

#endif  // TROUPE_IO_READ_SIDE_H_
