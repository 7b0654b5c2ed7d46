// One side of one TLS connection, as a pure state machine: ciphertext and
// plaintext go in and come out, who moves them is somebody else's business.
//
//   auto made = TlsSession::Client(context, "example.org");
//   TlsSession& session = **made;
//   absl::Status status = session.Handshake();   // as far as the input goes
//   for (Bytes piece = session.TakeOutput(); !piece.empty(); ...) send(piece);
//   session.Receive(bytes from the peer);        // and so on, until
//   if (session.handshake_done()) ...            // Read, Write, Close
//
// After *every* call, also a failed one, there may be output to send: an alert
// that tells the peer why, for one. After every Receive, call Handshake or Read
// until it has nothing more: only they look at the input.
//
// A failure is final; every later call returns the same. Texts begin with `TLS
// handshake with "example.org": ` or `TLS connection with ...`, a server's
// without a name. Codes are TlsError's, and
//   DATA_LOSS            the stream ended without the peer's close_notify:
//                        `connection closed without close_notify`, and
//                        somebody may have cut it; or before the handshake was
//                        done: `connection closed by the peer`
//   FAILED_PRECONDITION  the call came too early or too late; nothing happened
//
// With TLS 1.3 a client has finished its handshake before the server has looked
// at its certificate: a refusal arrives by Read. One thread at a time.
#ifndef TROUPE_IO_TLS_TLS_SESSION_H_
#define TROUPE_IO_TLS_TLS_SESSION_H_

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "io/bytes.h"
#include "io/tls/ciphertext_input.h"
#include "io/tls/ciphertext_output.h"
#include "io/tls/tls_certificate.h"
#include "io/tls/tls_context.h"

namespace troupe {

// `size` 0 without would_block is the end: the peer's close_notify. With
// would_block nothing is left to read until more is received.
struct TlsReadResult {
  size_t size = 0;
  bool would_block = false;
};

class TlsSession {
 public:
  // The server must be `server_hostname`: an IP address, or a DNS name in ASCII
  // (an international one in its xn-- form), which it is also told (SNI).
  // Alternative names count, the common name does not (RFC 9525). Empty: any
  // server that the context trusts will do. INVALID_ARGUMENT for what is no
  // name.
  static absl::StatusOr<std::unique_ptr<TlsSession>> Client(
      TlsContext::Shared context, absl::string_view server_hostname);
  static absl::StatusOr<std::unique_ptr<TlsSession>> Server(
      TlsContext::Shared context);

  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  // From the peer, in order, in pieces of any size. The bytes are kept, not
  // copied, until a call has read them.
  void Receive(Bytes ciphertext);
  // What is left of the newest piece is copied if it is small, because it is a
  // slice of much.
  void KeepCopy() { input_.KeepCopy(); }
  // Nothing more will come from the peer.
  void ReceiveEnd();

  absl::Status Handshake();
  bool handshake_done() const { return handshake_done_; }

  // Fills `room` as far as the input goes. Whoever bounds what waits to be sent
  // stops reading above the bound: a peer of TLS 1.2 can ask by the thousand
  // for a renegotiation, and each time is told no.
  absl::StatusOr<TlsReadResult> Read(absl::Span<char> room);

  // Takes all of it and makes records of 16 KiB. Refused before the handshake
  // is done and after Close, not after the peer's close_notify: a TLS 1.3 peer
  // may still read, one of TLS 1.2 has no business to.
  absl::Status Write(absl::string_view plaintext);

  // Sends our close_notify after what was written; again does nothing. What the
  // peer still writes can be read up to its own close_notify.
  absl::Status Close();

  // Whether OpenSSL keeps its buffers (34 KiB) between two calls, which saves
  // two large allocations for each small message. At first it does not.
  void KeepBuffers(bool keep);

  // The next piece to send; empty when there is none.
  Bytes TakeOutput() { return output_.Take(); }
  bool has_output() const { return output_.size() > 0; }
  // What a peer that does not read makes us hold: bytes that TakeOutput will
  // give, and plaintext that waits until the peer has finished a message that
  // it has begun.
  size_t output_size() const { return output_.size() + held_.size(); }

  // Of a connection whose handshake is done; before that they are empty.
  std::string version() const;  // `TLSv1.3`
  std::string cipher() const;   // `TLS_AES_256_GCM_SHA384`
  std::string alpn() const;     // empty: none selected
  std::optional<TlsCertificate> peer_certificate() const;

 private:
  TlsSession(TlsContext::Shared context, absl::string_view server_hostname);
  absl::Status Prepare();
  absl::Status SetPeerName();
  static int NoteRefused(int accepted, X509_STORE_CTX* verification);

  template <class Call>
  int Try(Call call);
  bool IsDry() const;
  absl::Status AfterRead(int error);
  void ReleaseBuffers();
  absl::Status Encrypt(absl::string_view* plaintext);
  absl::Status SendHeld();

  absl::Status Fail();
  absl::Status Fail(absl::StatusCode code, absl::string_view reason);
  absl::Status Fail(absl::Status failure);
  absl::Status Refuse(absl::string_view call) const;
  std::string Step() const;

  const TlsContext::Shared context_;
  const std::string peer_name_;
  CiphertextInput input_;
  CiphertextOutput output_;
  SSL* const ssl_;
  bool keeps_buffers_ = false;
  bool handshake_done_ = false;
  bool input_ended_ = false;
  bool peer_closed_ = false;
  bool closing_ = false;
  bool close_sent_ = false;
  // Plaintext that OpenSSL does not take while half a handshake message of the
  // peer is in, a ticket for one.
  std::string held_;
  std::string refused_;  // why a certificate was
  absl::Status failure_;
};

}  // namespace troupe

#endif  // TROUPE_IO_TLS_TLS_SESSION_H_
