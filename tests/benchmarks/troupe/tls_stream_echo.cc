#include "tests/benchmarks/troupe/tls_stream_echo.h"

#include "io/io_thread.h"
#include "io/sockets/tls_transport.h"
#include "io/tls/tls_context.h"

namespace troupe {
namespace {

TlsContext::Shared ServerContext(const IssuedCertificate& certificate) {
  return *TlsContext::Server({.certificate_chain_file = certificate.chain_file,
                              .private_key_file = certificate.key_file});
}

}  // namespace

TlsStreamEcho::TlsStreamEcho(const std::vector<int>& sockets,
                             const IssuedCertificate& certificate)
    : StreamEcho(sockets, [context = ServerContext(certificate)](IoThread& io) {
        return SpawnTlsTransport(io.host(), io.actor(), {.context = context});
      }) {}

}  // namespace troupe
