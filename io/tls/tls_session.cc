#include "io/tls/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/tls/tls_error.h"

namespace troupe {
namespace {

// RFC 6066: ASCII without a trailing dot. OpenSSL would take a leading dot for
// `any host below`.
absl::Status CheckName(absl::string_view name) {
  const bool printable = std::all_of(
      name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (printable && name.front() != '.' && name.back() != '.') {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("not a host name for TLS: \"", name, "\""));
}

// SSL_get_error(3) blames a call for what it finds in the queue. To look is
// fifteen times cheaper than to clear what is empty.
void ForgetOlderErrors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

absl::StatusOr<std::unique_ptr<TlsSession>> TlsSession::Client(
    TlsContext::Shared context, absl::string_view server_hostname) {
  if (context->is_server()) {
    return absl::InvalidArgumentError("TLS client with a server's context");
  }
  std::unique_ptr<TlsSession> made(
      new TlsSession(std::move(context), server_hostname));
  absl::Status status = made->Prepare();
  if (status.ok()) status = made->SetPeerName();
  if (!status.ok()) return status;
  SSL_set_connect_state(made->ssl_);
  return made;
}

absl::StatusOr<std::unique_ptr<TlsSession>> TlsSession::Server(
    TlsContext::Shared context) {
  if (!context->is_server()) {
    return absl::InvalidArgumentError("TLS server with a client's context");
  }
  std::unique_ptr<TlsSession> made(new TlsSession(std::move(context), ""));
  absl::Status status = made->Prepare();
  if (!status.ok()) return status;
  SSL_set_accept_state(made->ssl_);
  return made;
}

TlsSession::TlsSession(TlsContext::Shared context,
                       absl::string_view server_hostname)
    : context_(std::move(context)),
      peer_name_(server_hostname),
      ssl_(SSL_new(context_->get())) {}

TlsSession::~TlsSession() { SSL_free(ssl_); }

absl::Status TlsSession::Prepare() {
  if (ssl_ == nullptr || input_.bio() == nullptr || output_.bio() == nullptr) {
    return TlsError("TLS session");
  }
  BIO_up_ref(input_.bio());
  BIO_up_ref(output_.bio());
  SSL_set_bio(ssl_, input_.bio(), output_.bio());
  SSL_set_app_data(ssl_, this);
  const int verification = SSL_get_verify_mode(ssl_);
  if (verification != SSL_VERIFY_NONE) {
    SSL_set_verify(ssl_, verification, &NoteRefused);
  }
  return absl::OkStatus();
}

absl::Status TlsSession::SetPeerName() {
  if (peer_name_.empty()) return absl::OkStatus();
  absl::Status checked = CheckName(peer_name_);
  if (!checked.ok()) return checked;
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl_);
  // An address is not told to the server (RFC 6066).
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, peer_name_.c_str()) == 1) {
    return absl::OkStatus();
  }
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(wanted,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (X509_VERIFY_PARAM_set1_host(wanted, peer_name_.data(),
                                  peer_name_.size()) != 1 ||
      SSL_set_tlsext_host_name(ssl_, peer_name_.c_str()) != 1) {
    return TlsError("TLS host name", peer_name_);
  }
  return absl::OkStatus();
}

// OpenSSL's error says that a certificate was refused; which one and why only
// this call does.
int TlsSession::NoteRefused(int accepted, X509_STORE_CTX* verification) {
  if (accepted) return accepted;
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(
      verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* session = static_cast<TlsSession*>(SSL_get_app_data(ssl));
  session->refused_ =
      X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification));
  const X509* certificate = X509_STORE_CTX_get_current_cert(verification);
  const std::string subject =
      certificate != nullptr ? CertificateSubject(certificate) : "";
  if (!subject.empty()) absl::StrAppend(&session->refused_, " (", subject, ")");
  return accepted;
}

void TlsSession::Receive(Bytes ciphertext) {
  if (failure_.ok() && !peer_closed_) input_.Push(std::move(ciphertext));
}

void TlsSession::ReceiveEnd() { input_ended_ = true; }

// The answer of a call of OpenSSL as SSL_get_error(3) has it.
template <class Call>
int TlsSession::Try(Call call) {
  ForgetOlderErrors();
  const int result = call();
  return result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
}

absl::Status TlsSession::Handshake() {
  if (handshake_done_ || !failure_.ok()) return failure_;
  switch (Try([this] { return SSL_do_handshake(ssl_); })) {
    case SSL_ERROR_NONE:
      handshake_done_ = true;
      return absl::OkStatus();
    case SSL_ERROR_WANT_READ:
      if (!input_ended_) return absl::OkStatus();
      [[fallthrough]];
    case SSL_ERROR_ZERO_RETURN:
      return Fail(absl::StatusCode::kDataLoss, "connection closed by the peer");
    default:
      return Fail();
  }
}

absl::StatusOr<TlsReadResult> TlsSession::Read(absl::Span<char> room) {
  if (!failure_.ok()) return failure_;
  if (!handshake_done_) return Refuse("read before the handshake is done");
  if (peer_closed_) return TlsReadResult{};
  size_t size = 0;
  int error = SSL_ERROR_NONE;
  while (size < room.size() && error == SSL_ERROR_NONE) {
    size_t n = 0;
    error = IsDry() ? SSL_ERROR_WANT_READ : Try([&] {
      return SSL_read_ex(ssl_, room.data() + size, room.size() - size, &n);
    });
    size += n;
  }
  absl::Status status = AfterRead(error);
  if (!status.ok() && size == 0) return status;
  const bool dry = status.ok() && error == SSL_ERROR_WANT_READ;
  return TlsReadResult{.size = size,
                       .would_block = dry || (size == 0 && !peer_closed_)};
}

// To ask OpenSSL in vain costs a third of a small message.
bool TlsSession::IsDry() const {
  return input_.empty() && SSL_has_pending(ssl_) == 0;
}

// A failure is told by the next call when this one has bytes to give.
absl::Status TlsSession::AfterRead(int error) {
  switch (error) {
    case SSL_ERROR_NONE:
      return SendHeld();
    case SSL_ERROR_ZERO_RETURN:
      peer_closed_ = true;
      input_.Clear();
      return SendHeld();
    case SSL_ERROR_WANT_READ:
      if (input_ended_) {
        return Fail(absl::StatusCode::kDataLoss,
                    "connection closed without close_notify");
      }
      if (!keeps_buffers_) ReleaseBuffers();
      return SendHeld();
    default:
      return Fail();
  }
}

void TlsSession::KeepBuffers(bool keep) {
  if (keeps_buffers_ == keep) return;
  keeps_buffers_ = keep;
  if (keep) {
    SSL_clear_mode(ssl_, SSL_MODE_RELEASE_BUFFERS);
  } else {
    SSL_set_mode(ssl_, SSL_MODE_RELEASE_BUFFERS);
    ReleaseBuffers();
  }
}

// Nothing is left to read. A ticket leaves a buffer for writing behind, which
// only a write would release.
void TlsSession::ReleaseBuffers() {
  // Not with a record begun: OpenSSL before 3.0.14 would free it
  // (CVE-2024-4741).
  if (absl::string_view(SSL_rstate_string(ssl_)) == "RH")
    SSL_free_buffers(ssl_);
}

absl::Status TlsSession::Write(absl::string_view plaintext) {
  if (!failure_.ok()) return failure_;
  if (!handshake_done_) return Refuse("write before the handshake is done");
  if (closing_) return Refuse("write after close");
  absl::Status status = SendHeld();
  if (status.ok() && held_.empty()) status = Encrypt(&plaintext);
  if (status.ok()) absl::StrAppend(&held_, plaintext);
  return status;
}

absl::Status TlsSession::Close() {
  if (!failure_.ok()) return failure_;
  if (!handshake_done_) return Refuse("close before the handshake is done");
  closing_ = true;
  return SendHeld();
}

// What is left over waits for the rest of a message that the peer has begun.
absl::Status TlsSession::Encrypt(absl::string_view* plaintext) {
  while (!plaintext->empty()) {
    size_t n = 0;
    // A record at a time, so that each becomes a piece of output.
    const size_t asked =
        std::min<size_t>(plaintext->size(), SSL3_RT_MAX_PLAIN_LENGTH);
    switch (
        Try([&] { return SSL_write_ex(ssl_, plaintext->data(), asked, &n); })) {
      case SSL_ERROR_NONE:
        plaintext->remove_prefix(n);
        break;
      case SSL_ERROR_WANT_READ:
        return absl::OkStatus();
      default:
        return Fail();
    }
  }
  return absl::OkStatus();
}

absl::Status TlsSession::SendHeld() {
  if (!held_.empty()) {
    absl::string_view rest = held_;
    absl::Status status = Encrypt(&rest);
    if (!status.ok()) return status;
    held_.erase(0, held_.size() - rest.size());
    if (held_.empty()) held_.shrink_to_fit();
  }
  if (!closing_ || close_sent_ || !held_.empty() || SSL_in_init(ssl_)) {
    return absl::OkStatus();
  }
  close_sent_ = true;
  ForgetOlderErrors();
  return SSL_shutdown(ssl_) < 0 ? Fail() : absl::OkStatus();
}

std::string TlsSession::version() const {
  return handshake_done_ ? SSL_get_version(ssl_) : "";
}

std::string TlsSession::cipher() const {
  return handshake_done_ ? SSL_get_cipher_name(ssl_) : "";
}

std::string TlsSession::alpn() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  if (handshake_done_) SSL_get0_alpn_selected(ssl_, &name, &size);
  return std::string(reinterpret_cast<const char*>(name), size);
}

std::optional<TlsCertificate> TlsSession::peer_certificate() const {
  const X509* certificate =
      handshake_done_ ? SSL_get0_peer_certificate(ssl_) : nullptr;
  if (certificate == nullptr) return std::nullopt;
  return DescribeCertificate(certificate);
}

absl::Status TlsSession::Fail() { return Fail(TlsError(Step(), "", refused_)); }

absl::Status TlsSession::Fail(absl::StatusCode code, absl::string_view reason) {
  return Fail(absl::Status(code, absl::StrCat(Step(), ": ", reason)));
}

absl::Status TlsSession::Fail(absl::Status failure) {
  failure_ = std::move(failure);
  input_.Clear();
  std::string().swap(held_);
  return failure_;
}

absl::Status TlsSession::Refuse(absl::string_view call) const {
  return absl::FailedPreconditionError(absl::StrCat(Step(), ": ", call));
}

std::string TlsSession::Step() const {
  std::string text = handshake_done_ ? "TLS connection" : "TLS handshake";
  if (!peer_name_.empty()) {
    absl::StrAppend(&text, " with \"", peer_name_, "\"");
  }
  return text;
}

}  // namespace troupe
