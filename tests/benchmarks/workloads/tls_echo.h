// W7-tls: as W7 (echo.h), with TLS 1.3. Handshakes are done before the clock
// starts, and the client has read its session tickets.
//
// A server is made of connected sockets and its certificate; when it is made it
// has shaken hands, in the order of the sockets.
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_TLS_ECHO_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_TLS_ECHO_H_

#include "tests/benchmarks/subject.h"
#include "tests/benchmarks/workloads/echo.h"
#include "tests/benchmarks/workloads/tls_echo_client.h"
#include "tests/support/certificates.h"

namespace troupe {

template <class Server>
void TlsEcho(const Run& run, Report& report) {
  const CertificateAuthority authority("authority");
  TlsEchoClient client(run);
  MeasureEcho<Server>(client, report, authority.Issue({.name = "server"}));
}

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_TLS_ECHO_H_
