#include "tests/benchmarks/workloads/echo_client.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "tests/benchmarks/subject.h"

namespace troupe {
namespace {

void Require(bool holds) {
  if (!holds) abort();
}

void RaiseDescriptorLimit() {
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

EchoClient::EchoClient(size_t size, size_t connections, int64_t messages)
    : size_(size),
      connections_(connections),
      rounds_(std::max<int64_t>(messages / connections, 1)) {}

std::vector<int> EchoClient::Start() {
  RaiseDescriptorLimit();
  std::vector<int> servers, clients;
  for (size_t i = 0; i < connections_; ++i) {
    int ends[2];
    Require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    servers.push_back(ends[0]);
    clients.push_back(ends[1]);
  }
  Require(pipe2(go_, O_CLOEXEC) == 0 && pipe2(result_, O_CLOEXEC) == 0);
  child_ = fork();
  Require(child_ >= 0);
  if (child_ == 0) {
    for (int fd : servers) close(fd);
    Play(clients);
  }
  for (int fd : clients) close(fd);
  close(go_[0]);
  close(result_[1]);
  return servers;
}

void EchoClient::Go() {
  Require(write(go_[1], "x", 1) == 1);
  close(go_[1]);
}

int64_t EchoClient::Join() {
  int64_t took = 0;
  Require(read(result_[0], &took, sizeof took) == sizeof took);
  close(result_[0]);
  int status;
  Require(waitpid(child_, &status, 0) == child_ && status == 0);
  return took;
}

// It does not take the processor from the server when an answer wakes it: that
// happens the more often the longer the server takes, and a switch costs as
// much as a message. So all servers work through what is there.
void EchoClient::Play(const std::vector<int>& sockets) {
  const sched_param priority = {};
  Require(sched_setscheduler(0, SCHED_BATCH, &priority) == 0);
  close(go_[1]);
  close(result_[0]);
  char go;
  Require(read(go_[0], &go, 1) == 1);
  const int64_t begin = NowNs();
  Exchange(sockets);
  const int64_t took = NowNs() - begin;
  Require(write(result_[1], &took, sizeof took) == sizeof took);
  for (int fd : sockets) close(fd);
  _exit(0);
}

// A message fits into a socket's buffer, so writing does not block.
void EchoClient::Exchange(const std::vector<int>& sockets) {
  struct Peer {
    int fd;
    size_t missing;
    int64_t rounds;
  };
  std::vector<Peer> peers;
  const std::string message(size_, 'x');
  std::vector<char> room(std::max<size_t>(size_, 1));
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int fd : sockets) peers.push_back({fd, size_, rounds_});
  for (Peer& peer : peers) {
    epoll_event event = {EPOLLIN, {.ptr = &peer}};
    Require(epoll_ctl(epoll, EPOLL_CTL_ADD, peer.fd, &event) == 0);
    Require(write(peer.fd, message.data(), size_) == ssize_t(size_));
  }
  for (size_t active = peers.size(); active > 0;) {
    epoll_event events[256];
    const int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; ++i) {
      Peer& peer = *static_cast<Peer*>(events[i].data.ptr);
      const ssize_t got =
          recv(peer.fd, room.data(), peer.missing, MSG_DONTWAIT);
      Require(got > 0);
      peer.missing -= got;
      if (peer.missing > 0) continue;
      peer.missing = size_;
      if (--peer.rounds == 0) {
        --active;
        continue;
      }
      Require(write(peer.fd, message.data(), size_) == ssize_t(size_));
    }
  }
  close(epoll);
}

}  // namespace troupe
