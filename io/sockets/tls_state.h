// What a stream transport with TLS does: the plain one with a session between
// its sides and the protocol. Ciphertext that is read goes into the session,
// what is written comes out of it, and the protocol is introduced when the
// handshake is done. Its sources are by subject: the handshake and reading,
// writing.
#ifndef TROUPE_IO_SOCKETS_TLS_STATE_H_
#define TROUPE_IO_SOCKETS_TLS_STATE_H_

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/sockets/file_transfer.h"
#include "io/sockets/plaintext_queue.h"
#include "io/sockets/stream_state.h"
#include "io/sockets/tls_transport.h"
#include "io/timer_id.h"
#include "io/tls/tls_session.h"
#include "io/warm_ring.h"

namespace troupe {

class TlsState : public StreamState, public WarmRing::Member {
 public:
  static constexpr const char* name = "tls-transport";

  explicit TlsState(Self* self) : StreamState(self) {}

  void Init(IoHost* host, IoActor io, TlsTransportOptions options);

  void Pause() override;
  void Resume() override;
  void OnCredit() override;
  void OnTimer(const TimerFired& fired) override;
  caf::result<TlsInfo> Tls() const override;
  void OnReady(const FdReady& ready) override;

 private:
  static constexpr size_t kRecord = 16 * 1024;  // a record's plaintext

  // StreamState.
  void Send(Bytes bytes, Credit credit) override;
  void SendAtOnce(Bytes bytes, Credit credit) override;
  void Send(FileTransfer::Shared file) override;
  absl::Status CheckFile(const SendFile& request) const override;
  void FilesEnded() override { Pump(); }
  bool SendEnd() override;
  void ShutDown() override {}
  absl::Status CheckPassing(int fd) const override;
  bool StandsStill() const override { return paused_; }
  void StopReading() override;

  // Connection.
  absl::StatusOr<DescriptorKind> CheckDescriptor(const FdTicket& fd) override;
  void Watched() override;
  void Opened() override;

  // WriteSide::Owner.
  void OnWriteError(absl::Status why) override;

  // WarmRing::Member.
  void OnCold() override { session_->KeepBuffers(false); }

  // ReadSide::Receiver.
  void OnChunk(Bytes bytes, Credit) override;
  void OnEof() override;
  void OnReadError(absl::Status why) override;

  bool Established() const { return session_ && session_->handshake_done(); }
  void GoOn();
  void ShakeHands();
  void Deliver();
  bool DeliverOnce();
  void Encrypt(absl::string_view plaintext, Credit credit);
  size_t PutOutput(Credit credit = Credit());
  Bytes PutOutputButLast();
  void Pump();
  bool HasRoom() const;
  size_t EncryptNext();
  size_t EncryptFile();
  void NoteKept();
  bool TooManyAnswers(size_t more);
  void Fail(const absl::Status& why);

  TlsTransportOptions options_;
  std::unique_ptr<TlsSession> session_;
  TimerId handshake_timer_;
  PlaintextQueue later_;  // what waits for the handshake, or behind a file
  bool held_ = true;      // nothing is delivered before the protocol is ready
  bool paused_ = false;   // by the protocol
  bool ended_ = false;    // the session has nothing more to read
  absl::Status read_error_;  // not OK: the end, when all is delivered
  bool end_wanted_ = false;
  bool unsent_ = false;  // something of the protocol's may be in the buffer
  size_t answers_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_TLS_STATE_H_
