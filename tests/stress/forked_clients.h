// Many clients of one server in a process of their own, so that their
// descriptors and their memory are not this one's.
//
//   ForkedClients clients(address);
//   clients.Connect(10'000);          // each sends a message and gets it back
//   clients.Echo(/*client=*/7, 1000); // one after the other
//
// Messages have 64 bytes. A client that is refused, or gets something else,
// fails the test. The destructor ends the process, and so all connections.
#ifndef TROUPE_TESTS_STRESS_FORKED_CLIENTS_H_
#define TROUPE_TESTS_STRESS_FORKED_CLIENTS_H_

#include <sys/types.h>

#include "io/owned_fd.h"
#include "io/sockets/socket_address.h"

namespace troupe {

class ForkedClients {
 public:
  explicit ForkedClients(const SocketAddress& address);
  ForkedClients(const ForkedClients&) = delete;
  ForkedClients& operator=(const ForkedClients&) = delete;
  ~ForkedClients();

  void Connect(int count);
  void Echo(int client, int times);

 private:
  struct Order {
    int connect = 0;
    int client = 0;
    int echoes = 0;
  };
  void Do(Order order);
  static void Serve(int orders, const SocketAddress& address);

  OwnedFd orders_;
  pid_t child_ = -1;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_STRESS_FORKED_CLIENTS_H_
