// W7: echo over UNIX sockets. The variant is `SIZE/CONNECTIONS`: on each
// connection one message of that size goes forth and back at a time. The client
// is the same plain program for all, a process of its own on the same CPU.
//
// A server is made of connected sockets, which become its own, and has Run(),
// which returns when the peer has closed all of them.
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_ECHO_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_ECHO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/benchmarks/allocations.h"
#include "tests/benchmarks/subject.h"
#include "tests/benchmarks/workloads/echo_client.h"

namespace troupe {

template <class Server>
void Echo(const Run& run, Report& report) {
  const size_t slash = run.variant.find('/');
  EchoClient client(std::stoul(run.variant.substr(0, slash)),
                    std::stoul(run.variant.substr(slash + 1)), run.count);
  const double count = client.messages();
  {
    const std::vector<int> sockets = client.Start();
    Server server(sockets);
    const int64_t allocations = Allocations();
    client.Go();
    server.Run();
    report.Add("ns_per_message", client.Join() / count);
    report.Add("allocations_per_message",
               (Allocations() - allocations) / count);
  }
}

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_ECHO_H_
