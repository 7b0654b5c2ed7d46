// What a stream transport does, plain or not; stream_transport.h is its use.
//
// A derived class may put something between protocol and socket: it takes the
// chunks that are read and what is to be written, and says when the protocol is
// introduced (tls_transport.cc).
#ifndef TROUPE_IO_SOCKETS_STREAM_STATE_H_
#define TROUPE_IO_SOCKETS_STREAM_STATE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/bytes.h"
#include "io/connection.h"
#include "io/credit.h"
#include "io/credit_returned.h"
#include "io/descriptor_kind.h"
#include "io/drain_waiters.h"
#include "io/fd_ticket.h"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/read_side.h"
#include "io/resident.h"
#include "io/sockets/file_transfer.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/unix_dialer.h"
#include "io/timer_id.h"
#include "io/transfer.h"
#include "io/write_side.h"

namespace troupe {

using StreamInterface =
    StreamTransport::extend<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>,
                            caf::reacts_to<CreditReturned>,
                            caf::reacts_to<TimerFired>>;

class StreamState : public Connection<StreamInterface, StreamProtocol>,
                    public ReadSide::Receiver,
                    public ReadSide::Reader,
                    public WriteSide::Owner {
 public:
  static constexpr const char* name = "stream-transport";

  explicit StreamState(Self* self) : Connection(self, Sides::kBoth) {}
  ~StreamState() override { Forgotten(); }

  void Init(IoHost* host, IoActor io, size_t window);
  caf::result<Connected> Connect(ConnectStream& request);
  caf::result<Connected> Connect(ConnectUnix& request);

  caf::result<Drained> Accept(Bytes bytes, Credit credit);
  caf::result<Drained> Accept(std::vector<Bytes> lines);
  caf::result<FileSent> Accept(const SendFile& request);
  void CancelFiles();
  caf::result<Drained> Accept(WriteDescriptors& write);
  void WriteEof();
  void CloseWhenWritten();
  void Abort() { End(absl::OkStatus()); }
  virtual void Pause();
  virtual void Resume();
  caf::result<TransportInfo> SetLimits(const SetWriteBufferLimits& limits);

  virtual void OnReady(const FdReady& ready);
  void HandleDirectly(FdReady& ready) { OnReady(ready); }
  void HandleDirectly(Write& write);
  virtual void OnCredit() { reading_->OnCredit(); }
  virtual void OnTimer(const TimerFired& fired);
  void OnDown(const caf::down_msg& down);

  TransportInfo Info() const override;
  caf::result<PeerInfo> Peer() const;
  virtual caf::result<TlsInfo> Tls() const;

 protected:
  // Puts it where the writing side takes it from.
  virtual void Send(Bytes bytes, Credit credit) {
    writing_->Add(std::move(bytes), std::move(credit));
  }
  virtual void SendAtOnce(Bytes bytes, Credit credit) {
    writing_->Write(std::move(bytes), std::move(credit));
  }
  virtual void Send(FileTransfer::Shared file) {
    writing_->Add(FileTransfer::Piece(std::move(file)));
    writing_->Write();
  }
  // Why it cannot be sent here, whatever it is.
  virtual absl::Status CheckFile(const SendFile& request) const;
  // Files have ended out of turn.
  virtual void FilesEnded() { writing_->DropOver(); }
  // Nothing will be sent any more. False: not now, FinishWriting is called
  // again.
  virtual bool SendEnd() { return true; }
  // Nothing is read, because the protocol wants that.
  virtual bool StandsStill() const { return reading_->paused(); }
  // By CloseTransport.
  virtual void StopReading() { reading_->Close(); }
  // What was sent is written, and the peer is to know that nothing follows.
  virtual void ShutDown();

  // Whether this transport passes descriptors over `fd`.
  virtual absl::Status CheckPassing(int fd) const;

  // Connection.
  absl::StatusOr<DescriptorKind> CheckDescriptor(const FdTicket& fd) override;
  void Opened() override;
  ConnectionLost LastWords(absl::Status why) override;

  // ReadSide::Receiver.
  bool ReceiverGone() override;
  void OnChunk(Bytes bytes, Credit credit) override {
    TellNow(DataReceived{std::move(bytes), std::move(credit)});
  }
  void OnEof() override;
  void OnReadError(absl::Status why) override;

  // ReadSide::Reader, if there is a receiver of descriptors.
  TransferResult Read(int fd, absl::Span<char> room, size_t delivered) override;

  // WriteSide::Owner.
  void OnPause() override { Tell(PauseWriting{}); }
  void OnResume() override;
  void OnWritten() override;
  void OnWriteError(absl::Status why) override;
  // Only then an end of reading follows; after another failure it may wait for
  // us for ever.
  static bool SaysPeerIsGone(const absl::Status& why);
  void OnPeerGone() override { End(absl::OkStatus()); }

  void FinishWriting();
  // What is left to be written is of no use to anybody.
  void GiveUpWriting();
  void AnswerIfDrained();

  std::optional<ReadSide> reading_;
  std::optional<WriteSide> writing_;
  FileTransfers files_;
  bool closing_ = false;  // by CloseTransport: flush, then end

 private:
  void Dial();
  absl::Status CheckDescriptorReceiver(int fd) const;
  bool TakesWrites() const {
    return phase_ != Phase::kClosed && !write_ended_ && !write_over_;
  }
  absl::Status Refusal();
  caf::result<FileSent> AnswerAtEnd(FileTransfer& file);
  void EofHandled();

  std::unique_ptr<UnixDialer> dialer_;  // as long as the backlog is full
  TimerId dial_timer_;
  DrainWaiters waiters_;
  AfterEof after_eof_ = AfterEof::kClose;
  DescriptorReceiver descriptors_;  // may be empty
  bool read_over_ = false;
  bool write_ended_ = false;  // nothing more is accepted
  bool write_over_ = false;   // and nothing is left
  absl::Status write_error_;  // not OK: the end of reading is the end
  size_t lost_ = 0;
  size_t refused_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_STREAM_STATE_H_
