// Writes one descriptor, in order, as far as it takes: what every transport
// that writes has inside.
//
//   WriteSide writing(table, may_block, owner, WriteSide::PeerWatch::kHangUp);
//   writing.Open(watch, fd, kind);
//   writing.Add(bytes, credit);
//   writing.Write();                    // at once, or when there is room
//   writing.Finish();                   // then owner.OnWritten, once
//   writing.OnReady(readiness);         // when the watch says so
//
// What is added before Open waits for it. OnPause and OnResume follow the water
// marks after each write (rows W17 to W20). After OnWritten, OnWriteError,
// OnPeerGone or Close nothing more is told. An owner may call Close from its
// functions. One thread, the watch table's.
#ifndef TROUPE_IO_WRITE_SIDE_H_
#define TROUPE_IO_WRITE_SIDE_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/descriptor_kind.h"
#include "io/readiness.h"
#include "io/transport_info.h"
#include "io/watch_id.h"
#include "io/watch_table.h"
#include "io/water_marks.h"
#include "io/write_piece.h"
#include "io/write_queue.h"

namespace troupe {

class WriteSide {
 public:
  class Owner {
   public:
    virtual void OnPause() = 0;   // more than the high mark is buffered
    virtual void OnResume() = 0;  // the low mark or less is
    virtual void OnWritten() = 0;
    virtual void OnWriteError(absl::Status why) = 0;
    virtual void OnPeerGone() = 0;  // and nothing is buffered

   protected:
    ~Owner() = default;
  };

  // Whether OnPeerGone is told between two writes.
  enum class PeerWatch { kNone, kHangUp };

  // All borrowed. What may block is written only when the watch just said so.
  WriteSide(WatchTable& table, bool may_block, Owner& owner,
            PeerWatch peer_watch)
      : table_(table),
        owner_(owner),
        may_block_(may_block),
        peer_watch_(peer_watch) {}

  void Open(WatchId watch, int fd, DescriptorKind kind);
  bool open() const { return open_; }
  // Drops what is buffered: how many bytes.
  size_t Close();

  void Add(Bytes bytes, Credit credit) {
    queue_.Push(std::move(bytes), std::move(credit));
  }
  void Add(std::unique_ptr<WritePiece> piece) { queue_.Push(std::move(piece)); }
  void Write();
  // Add and Write.
  void Write(Bytes bytes, Credit credit);
  // When pieces may have ended out of turn: what they would have waited for is
  // not waited for.
  void DropOver();
  // For an owner that has more to add: OnReady in the next iteration.
  void AskAgain();
  // How much of what will be added the owner keeps for now: the marks count it.
  void SetKept(size_t bytes) { kept_ = bytes; }
  void Finish();
  bool finishing() const { return finishing_; }

  // A new high mark may pause at once; raised marks do not resume.
  void SetMarks(const WaterMarks& marks);
  void WatchPeer();

  void OnReady(Readiness readiness);

  bool paused() const { return paused_; }
  size_t buffered() const { return queue_.size() + kept_; }
  size_t queued() const { return queue_.size(); }
  WritingInfo Info() const;

 private:
  void Start();
  void Flush();
  void Follow(const WriteQueue::FlushResult& result);
  void Done();
  void Wait(Interest interest, bool still_ready);
  void UpdateFlow();

  WatchTable& table_;
  Owner& owner_;
  WriteQueue queue_;
  WaterMarks marks_;
  WatchId watch_;
  int fd_ = -1;
  DescriptorKind kind_ = DescriptorKind::kOther;
  const bool may_block_;
  PeerWatch peer_watch_;
  size_t kept_ = 0;
  bool open_ = false;
  bool paused_ = false;
  bool finishing_ = false;
  bool waiting_ = false;  // for room
};

}  // namespace troupe

#endif  // TROUPE_IO_WRITE_SIDE_H_
