// W7-tls: as StreamEcho, with TLS transports.
#ifndef TROUPE_TESTS_BENCHMARKS_TROUPE_TLS_STREAM_ECHO_H_
#define TROUPE_TESTS_BENCHMARKS_TROUPE_TLS_STREAM_ECHO_H_

#include <vector>

#include "tests/benchmarks/troupe/stream_echo.h"
#include "tests/support/certificates.h"

namespace troupe {

class TlsStreamEcho : public StreamEcho {
 public:
  TlsStreamEcho(const std::vector<int>& sockets,
                const IssuedCertificate& certificate);
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_TROUPE_TLS_STREAM_ECHO_H_
