#include "tests/benchmarks/workloads/echo_client.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace troupe {
namespace {

void Require(bool holds) {
  if (!holds) abort();
}

size_t NumberBehind(char sign, const std::string& variant) {
  const size_t place = variant.find(sign);
  return place == variant.npos ? 0 : std::stoul(variant.substr(place + 1));
}

int NewSocket() {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Require(fd >= 0);
  return fd;
}

sockaddr* Plain(sockaddr_un& address) {
  return reinterpret_cast<sockaddr*>(&address);
}

void RaiseDescriptorLimit() {
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

EchoClient::EchoClient(const Run& run)
    : size_(std::stoul(run.variant)),
      connections_(NumberBehind('/', run.variant)),
      idle_(NumberBehind('+', run.variant)),
      rounds_(std::max<int64_t>(run.count / connections_, 1)) {}

std::vector<int> EchoClient::Start() {
  RaiseDescriptorLimit();
  std::vector<int> servers;
  const int listener = NewSocket();
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  socklen_t size = sizeof address.sun_family;  // the kernel finds a name
  Require(bind(listener, Plain(address), size) == 0);
  size = sizeof address;
  Require(getsockname(listener, Plain(address), &size) == 0);
  Require(listen(listener, 128) == 0);
  Require(pipe2(go_, O_CLOEXEC) == 0 && pipe2(result_, O_CLOEXEC) == 0);
  child_ = fork();
  Require(child_ >= 0);
  if (child_ == 0) {
    close(listener);
    for (size_t i = 0; i < connections_ + idle_; ++i) {
      sockets_.push_back(NewSocket());
      Require(connect(sockets_[i], Plain(address), size) == 0);
    }
    Play();
  }
  for (size_t i = 0; i < connections_ + idle_; ++i) {
    servers.push_back(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    Require(servers[i] >= 0);
  }
  close(listener);
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
void EchoClient::Play() {
  const sched_param priority = {};
  Require(sched_setscheduler(0, SCHED_BATCH, &priority) == 0);
  close(go_[1]);
  close(result_[0]);
  Connect();
  char go;
  Require(read(go_[0], &go, 1) == 1);
  const int64_t begin = NowNs();
  Exchange();
  const int64_t took = NowNs() - begin;
  Require(write(result_[1], &took, sizeof took) == sizeof took);
  for (int fd : sockets_) close(fd);
  _exit(0);
}

// A message fits into a socket's buffer, so writing does not block.
void EchoClient::Send(size_t peer, std::string_view message) {
  Require(write(sockets_[peer], message.data(), message.size()) ==
          ssize_t(message.size()));
}

size_t EchoClient::Receive(size_t peer, char* room, size_t size) {
  const ssize_t got = recv(sockets_[peer], room, size, MSG_DONTWAIT);
  Require(got > 0);
  return got;
}

void EchoClient::Exchange() {
  struct Peer {
    size_t missing;
    int64_t rounds;
  };
  std::vector<Peer> peers(connections_, Peer{size_, rounds_});
  const std::string message(size_, 'x');
  std::vector<char> room(std::max<size_t>(size_, 1));
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (size_t i = 0; i < peers.size(); ++i) {
    epoll_event event = {EPOLLIN, {.u64 = i}};
    Require(epoll_ctl(epoll, EPOLL_CTL_ADD, sockets_[i], &event) == 0);
    Send(i, message);
  }
  for (size_t active = peers.size(); active > 0;) {
    epoll_event events[256];
    const int ready = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < ready; ++i) {
      const size_t number = events[i].data.u64;
      Peer& peer = peers[number];
      peer.missing -= Receive(number, room.data(), peer.missing);
      if (peer.missing > 0) continue;
      peer.missing = size_;
      if (--peer.rounds == 0) {
        --active;
        continue;
      }
      Send(number, message);
    }
  }
  close(epoll);
}

}  // namespace troupe
