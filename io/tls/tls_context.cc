#include "io/tls/tls_context.h"

#include <dirent.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "io/os_error.h"
#include "io/tls/tls_error.h"

namespace troupe {
namespace {

struct Password {
  const std::string& text;
  bool asked = false;
};

// OpenSSL's own would ask on the terminal.
int GivePassword(char* room, int size, int /*for_writing*/, void* password) {
  auto* given = static_cast<Password*>(password);
  if (given == nullptr) return -1;
  given->asked = true;
  const size_t length = given->text.size();
  if (length == 0 || length > static_cast<size_t>(size)) return -1;
  memcpy(room, given->text.data(), length);
  return static_cast<int>(length);
}

absl::Status LoadKey(SSL_CTX* context, const TlsOptions& options) {
  const std::string& path = options.private_key_file.empty()
                                ? options.certificate_chain_file
                                : options.private_key_file;
  std::unique_ptr<BIO, decltype(&BIO_free)> file(
      BIO_new_file(path.c_str(), "re"), &BIO_free);
  if (file == nullptr) return TlsError("open private key", path);
  Password password{.text = options.private_key_password};
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(file.get(), nullptr, &GivePassword, &password),
      &EVP_PKEY_free);
  if (key == nullptr) {
    absl::Status refusal = TlsError("read private key", path);
    if (!password.asked) return refusal;
    // OpenSSL's text depends on what the wrong password made of the content.
    return absl::InvalidArgumentError(
        absl::StrCat("read private key \"", path, "\": it is encrypted, and ",
                     password.text.empty() ? "no password is given"
                                           : "the password does not open it"));
  }
  // SSL_CTX_use_PrivateKey alone takes a key of another type than the
  // certificate's without a word.
  if (X509_check_private_key(SSL_CTX_get0_certificate(context), key.get()) !=
      1) {
    return TlsError("use private key", path,
                    absl::StrCat("it is not that of \"",
                                 options.certificate_chain_file, "\""));
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return TlsError("use private key", path);
  }
  return absl::OkStatus();
}

absl::Status LoadIdentity(SSL_CTX* context, const TlsOptions& options) {
  const std::string& path = options.certificate_chain_file;
  if (path.empty()) {
    return options.private_key_file.empty()
               ? absl::OkStatus()
               : absl::InvalidArgumentError(
                     absl::StrCat("private key \"", options.private_key_file,
                                  "\" without a certificate"));
  }
  if (SSL_CTX_use_certificate_chain_file(context, path.c_str()) != 1) {
    return TlsError("read certificate chain", path);
  }
  return LoadKey(context, options);
}

absl::Status LoadTrust(SSL_CTX* context, const TlsOptions& options) {
  const std::string& file = options.ca_file;
  if (!file.empty() && SSL_CTX_load_verify_file(context, file.c_str()) != 1) {
    return TlsError("read CA file", file);
  }
  const std::string& directory = options.ca_directory;
  if (directory.empty()) return absl::OkStatus();
  // OpenSSL would notice a directory that is not there by finding nothing in
  // it.
  DIR* opened = opendir(directory.c_str());
  if (opened == nullptr) return OsError(errno, "open CA directory", directory);
  closedir(opened);
  if (SSL_CTX_load_verify_dir(context, directory.c_str()) != 1) {
    return TlsError("use CA directory", directory);
  }
  return absl::OkStatus();
}

int Number(TlsVersion version) {
  return version == TlsVersion::kTls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

// A server's choice: `wire` is its own list, in its order.
int SelectProtocol(SSL*, const unsigned char** selected, unsigned char* size,
                   const unsigned char* offered, unsigned int offered_size,
                   void* wire) {
  const auto& own = *static_cast<const std::string*>(wire);
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(
          &found, size, reinterpret_cast<const unsigned char*>(own.data()),
          own.size(), offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *selected = found;
  return SSL_TLSEXT_ERR_OK;
}

absl::Status CheckClient(const TlsOptions& options) {
  if (options.require_client_certificate) {
    return absl::InvalidArgumentError(
        "require_client_certificate is a server's option");
  }
  return absl::OkStatus();
}

absl::Status CheckServer(const TlsOptions& options) {
  const bool has_ca = !options.ca_file.empty() || !options.ca_directory.empty();
  if (options.certificate_chain_file.empty()) {
    return absl::InvalidArgumentError("a TLS server needs a certificate");
  }
  if (options.require_client_certificate && !has_ca) {
    return absl::InvalidArgumentError(
        "require_client_certificate needs a CA to verify it with");
  }
  if (has_ca && !options.require_client_certificate) {
    return absl::InvalidArgumentError(
        "a CA verifies nothing without require_client_certificate");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TlsContext::Shared> TlsContext::Client(
    const TlsOptions& options) {
  absl::Status checked = CheckClient(options);
  if (!checked.ok()) return checked;
  std::shared_ptr<TlsContext> made(new TlsContext(/*is_server=*/false));
  absl::Status loaded = made->Load(options);
  if (!loaded.ok()) return loaded;
  SSL_CTX* context = made->context_;
  if (options.ca_file.empty() && options.ca_directory.empty() &&
      SSL_CTX_set_default_verify_paths(context) != 1) {
    return TlsError("use the system's certificates");
  }
  SSL_CTX_set_verify(context,
                     options.verify_server ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                     nullptr);
  return made;
}

absl::StatusOr<TlsContext::Shared> TlsContext::Server(
    const TlsOptions& options) {
  absl::Status checked = CheckServer(options);
  if (!checked.ok()) return checked;
  std::shared_ptr<TlsContext> made(new TlsContext(/*is_server=*/true));
  absl::Status loaded = made->Load(options);
  if (!loaded.ok()) return loaded;
  SSL_CTX* context = made->context_;
  if (options.require_client_certificate) {
    SSL_CTX_set_verify(
        context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  // Without a name of its own a server that verifies clients fails those that
  // come back with a ticket.
  const unsigned char name[] = "troupe";
  SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
  return made;
}

TlsContext::TlsContext(bool is_server)
    : is_server_(is_server),
      context_(
          SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method())) {}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

absl::Status TlsContext::Load(const TlsOptions& options) {
  if (context_ == nullptr) return TlsError("TLS context");
  SSL_CTX_set_default_passwd_cb(context_, &GivePassword);
  SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION);
  // An idle connection needs no buffers (34 KiB for both directions).
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  if (options.minimum_version > options.maximum_version) {
    return absl::InvalidArgumentError(
        "minimum_version is above maximum_version");
  }
  if (SSL_CTX_set_min_proto_version(context_,
                                    Number(options.minimum_version)) != 1 ||
      SSL_CTX_set_max_proto_version(context_,
                                    Number(options.maximum_version)) != 1) {
    return TlsError("set TLS versions");
  }
  absl::Status status = LoadAlpn(options.alpn_protocols);
  if (status.ok()) status = LoadIdentity(context_, options);
  if (status.ok()) status = LoadTrust(context_, options);
  return status;
}

absl::Status TlsContext::LoadAlpn(const std::vector<std::string>& protocols) {
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255) {
      return absl::InvalidArgumentError(
          absl::StrCat("ALPN protocol of ", protocol.size(),
                       " bytes: 1 to 255 are possible"));
    }
    alpn_.push_back(static_cast<char>(protocol.size()));
    alpn_ += protocol;
  }
  if (alpn_.empty()) return absl::OkStatus();
  if (is_server_) {
    SSL_CTX_set_alpn_select_cb(context_, &SelectProtocol, &alpn_);
    return absl::OkStatus();
  }
  // 0 is its success.
  if (SSL_CTX_set_alpn_protos(
          context_, reinterpret_cast<const unsigned char*>(alpn_.data()),
          alpn_.size()) != 0) {
    return TlsError("set ALPN protocols");
  }
  return absl::OkStatus();
}

}  // namespace troupe
