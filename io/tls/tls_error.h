// A refusal of OpenSSL as an absl::Status: what was attempted, on what, and
// why it failed.
//
//   if (PEM_read_bio_PrivateKey(...) == nullptr) {
//     return TlsError("read private key", path);
//   }
//   // INVALID_ARGUMENT: read private key "key.pem": bad decrypt
//
// OpenSSL leaves its reasons in a queue of the thread, one for each layer that
// a failure has passed through. The one that says most becomes the text, and
// the queue is empty afterwards, so that no later call is blamed.
//
// The code is what a caller can act on:
//   UNAUTHENTICATED    the peer did not prove who it is
//   PERMISSION_DENIED  the peer refuses us: `peer sent alert: unknown ca`
//   as errno has it    a file cannot be read; OsFailureOf() has the fields
//   INVALID_ARGUMENT   what we were given, by a file or by the peer, is wrong
#ifndef TROUPE_IO_TLS_TLS_ERROR_H_
#define TROUPE_IO_TLS_TLS_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace troupe {

// `detail` follows the reason when there is one.
absl::Status TlsError(absl::string_view step, absl::string_view on_what = "",
                      absl::string_view detail = "");

}  // namespace troupe

#endif  // TROUPE_IO_TLS_TLS_ERROR_H_
