#include "io/tls/tls_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "io/os_error.h"

namespace troupe {
namespace {

bool IsAlert(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_SSL &&
         ERR_GET_REASON(error) > SSL_AD_REASON_OFFSET;
}

// OpenSSL's `tlsv13 alert certificate required` without the version, which is
// that of the alert's number, not of the connection.
std::string AlertText(absl::string_view reason) {
  for (absl::string_view version : {"tlsv13 ", "tlsv1 ", "sslv3 "}) {
    if (absl::ConsumePrefix(&reason, version)) break;
  }
  absl::ConsumePrefix(&reason, "alert ");
  return absl::StrCat("peer sent alert: ", reason);
}

struct Reason {
  unsigned long error = 0;
  std::string data = {};
};

// TLS's own reason when it gives one, `certificate verify failed`, rather than
// that of the arithmetic below it; the oldest when it only says that something
// below has failed. Empties the queue.
Reason TakeCause() {
  Reason cause;
  bool found = false;
  const char* data = "";
  int flags = 0;
  while (unsigned long error =
             ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    const bool own = ERR_GET_LIB(error) == ERR_LIB_SSL &&
                     (ERR_GET_REASON(error) & ERR_RFLAG_COMMON) == 0;
    if (found || (cause.error != 0 && !own)) continue;
    cause = {.error = error, .data = flags & ERR_TXT_STRING ? data : ""};
    found = own;
  }
  return cause;
}

std::string ReasonText(const Reason& cause) {
  if (cause.error == 0) return "OpenSSL gives no reason";
  const char* reason = ERR_reason_error_string(cause.error);
  if (IsAlert(cause.error)) {
    return reason != nullptr ? AlertText(reason)
                             : absl::StrCat("peer sent alert: number ",
                                            ERR_GET_REASON(cause.error) -
                                                SSL_AD_REASON_OFFSET);
  }
  std::string text = reason != nullptr ? reason
                                       : absl::StrCat("OpenSSL error ",
                                                      absl::Hex(cause.error));
  if (!cause.data.empty()) absl::StrAppend(&text, " (", cause.data, ")");
  return text;
}

absl::StatusCode CodeOf(unsigned long error) {
  if (IsAlert(error)) return absl::StatusCode::kPermissionDenied;
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
    switch (ERR_GET_REASON(error)) {
      case SSL_R_CERTIFICATE_VERIFY_FAILED:
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return absl::StatusCode::kUnauthenticated;
    }
  }
  return absl::StatusCode::kInvalidArgument;
}

}  // namespace

absl::Status TlsError(absl::string_view step, absl::string_view on_what,
                      absl::string_view detail) {
  const Reason cause = TakeCause();
  if (ERR_SYSTEM_ERROR(cause.error)) {
    return OsError(ERR_GET_REASON(cause.error), step, on_what);
  }
  std::string text(step);
  if (!on_what.empty()) absl::StrAppend(&text, " \"", on_what, "\"");
  absl::StrAppend(&text, ": ", ReasonText(cause));
  if (!detail.empty()) absl::StrAppend(&text, ": ", detail);
  return absl::Status(CodeOf(cause.error), text);
}

}  // namespace troupe
