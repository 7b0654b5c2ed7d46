#include "tests/stress/forked_clients.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "gtest/gtest.h"
#include "tests/support/descriptors.h"

namespace troupe {
namespace {

constexpr size_t kMessage = 64;
// Where the child has its orders; its clients follow.
constexpr int kOrders = 3;
constexpr int kFirstClient = 4;

bool EchoOnce(int fd) {
  char message[kMessage], answer[kMessage];
  memset(message, 'm', kMessage);
  if (send(fd, message, kMessage, MSG_NOSIGNAL) != kMessage) return false;
  return recv(fd, answer, kMessage, MSG_WAITALL) == kMessage &&
         memcmp(message, answer, kMessage) == 0;
}

}  // namespace

ForkedClients::ForkedClients(const SocketAddress& address) {
  Ends ends = MakeSocketPair();
  child_ = fork();
  if (child_ == 0) Serve(ends.second.get(), address);
  orders_ = std::move(ends.first);
}

ForkedClients::~ForkedClients() {
  orders_.Close();
  int status = -1;
  EXPECT_EQ(waitpid(child_, &status, 0), child_);
  EXPECT_EQ(status, 0);
}

void ForkedClients::Connect(int count) { Do({.connect = count}); }
void ForkedClients::Echo(int client, int times) {
  Do({.client = client, .echoes = times});
}

void ForkedClients::Do(Order order) {
  ASSERT_EQ(send(orders_.get(), &order, sizeof order, MSG_NOSIGNAL),
            static_cast<ssize_t>(sizeof order));
  char done = 0;
  ASSERT_EQ(recv(orders_.get(), &done, 1, 0), 1) << "the clients failed";
}

// In a fork of a program with threads: system calls only. The lowest numbers
// are free, so clients are numbered as they come.
void ForkedClients::Serve(int orders, const SocketAddress& address) {
  if (dup2(orders, kOrders) != kOrders) _exit(1);
  if (close_range(kFirstClient, ~0u, 0) != 0) _exit(1);
  int clients = 0;
  Order order;
  while (recv(kOrders, &order, sizeof order, MSG_WAITALL) == sizeof order) {
    for (int i = 0; i < order.connect; ++i, ++clients) {
      const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
      if (fd != kFirstClient + clients) _exit(2);
      if (connect(fd, address.data(), address.size()) != 0) _exit(3);
      if (!EchoOnce(fd)) _exit(4);
    }
    for (int i = 0; i < order.echoes; ++i) {
      if (!EchoOnce(kFirstClient + order.client)) _exit(5);
    }
    if (send(kOrders, "", 1, MSG_NOSIGNAL) != 1) _exit(6);
  }
  _exit(0);
}

}  // namespace troupe
