// Two stream transports that are connected, one that passes descriptors and one
// that receives them. Who reads notes in `read_`: `FD(2)@5` is two descriptors
// before the chunk that begins at byte 5.
#ifndef TROUPE_TESTS_IO_SOCKETS_STREAM_DESCRIPTORS_FIXTURE_H_
#define TROUPE_TESTS_IO_SOCKETS_STREAM_DESCRIPTORS_FIXTURE_H_

#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "io/fd_ticket.h"
#include "io/owned_fd.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "tests/support/descriptors.h"
#include "tests/support/stream_fixture.h"
#include "tests/support/trace.h"

namespace troupe {

class StreamDescriptorsFixture : public StreamTest {
 protected:
  StreamDescriptorsFixture() { Pair(SOCK_STREAM); }
  ~StreamDescriptorsFixture() override { kept_.clear(); }

  void Pair(int type) { std::tie(ours_, theirs_) = MakeSocketPair(type); }

  // A transport that writes, with a protocol that notes PAUSE and CL(...).
  void OpenWriter(AfterEof after_eof = AfterEof::kHalfOpen);
  // One that reads, with one actor for bytes and descriptors. What it gets is
  // kept, without credit, unless `descriptors` says otherwise.
  void OpenReader(std::function<void(DescriptorsReceived&)> descriptors = {});
  std::string ConnectReader(OwnedFd fd, DescriptorReceiver receiver,
                            StreamProtocol protocol);
  void Keep(DescriptorsReceived& received);

  // A write end of pipe_.
  FdTicket Ticket() { return FdTicket(OwnedFd(dup(pipe_.second.get()))); }
  std::vector<FdTicket> Tickets(size_t count);
  std::string Pass(const std::string& text, std::vector<FdTicket> tickets);
  void Say(const std::string& text);
  // Not by a transport.
  static void PassPlainly(const OwnedFd& socket, const std::string& text,
                          const std::vector<int>& numbers);
  // Returns when nobody has a write end of pipe_ any more.
  void ExpectAllClosed();

  OwnedFd ours_, theirs_;
  Ends pipe_ = MakePipe();
  StreamTransport writer_, reader_;
  std::shared_ptr<Trace> read_ = std::make_shared<Trace>();
  std::mutex mutex_;
  std::vector<OwnedFd> kept_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_SOCKETS_STREAM_DESCRIPTORS_FIXTURE_H_
