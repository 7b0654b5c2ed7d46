// W7: echo over UNIX sockets. The variant is `SIZE/CONNECTIONS`: on each
// connection one message of that size goes forth and back at a time. The client
// is the same plain program for all, a process of its own on the same CPU.
//
// W10: the same among connections on which nothing happens, the variant is
// `SIZE/CONNECTIONS+IDLE`; and what memory each connection costs the server,
// with what its program starts once.
//
// A server is made of connected sockets, which become its own, and has Run(),
// which returns when the peer has closed all of them.
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_ECHO_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_ECHO_H_

#include <cstdint>
#include <vector>

#include "tests/benchmarks/allocations.h"
#include "tests/benchmarks/subject.h"
#include "tests/benchmarks/workloads/echo_client.h"

namespace troupe {

// The server is made of the sockets and `arguments`.
template <class Server, class... Arguments>
void MeasureEcho(EchoClient& client, Report& report,
                 const Arguments&... arguments) {
  const double count = client.messages();
  const std::vector<int> sockets = client.Start();
  const int64_t before = ResidentKib();
  Server server(sockets, arguments...);
  if (client.idle() > 0) {
    report.Add("bytes_per_connection",
               (ResidentKib() - before) * 1024.0 / sockets.size());
  }
  const int64_t allocations = Allocations();
  client.Go();
  server.Run();
  report.Add("ns_per_message", client.Join() / count);
  report.Add("allocations_per_message", (Allocations() - allocations) / count);
}

template <class Server>
void Echo(const Run& run, Report& report) {
  EchoClient client(run);
  MeasureEcho<Server>(client, report);
}

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_ECHO_H_
