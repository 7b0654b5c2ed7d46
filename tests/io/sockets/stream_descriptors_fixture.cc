#include "tests/io/sockets/stream_descriptors_fixture.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/actor_cast.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/fd_ticket.h"
#include "io/owned_fd.h"
#include "io/resident.h"
#include "io/sockets/descriptor_passing.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "tests/support/descriptors.h"
#include "tests/support/trace.h"

namespace troupe {
namespace {

// One actor that is told of bytes and descriptors.
using Both = StreamProtocol::extend<caf::reacts_to<DescriptorsReceived>>;

struct BothNotes {
  std::shared_ptr<Trace> trace;
  std::function<void(DescriptorsReceived&)> descriptors;
};

Both::behavior_type BothHandlers(Resident<Both::base>*, BothNotes notes) {
  auto add = [=](std::string event) { notes.trace->Add(std::move(event)); };
  return {
      [=](const ConnectionMade&) { add("CM"); },
      [=](const DataReceived& data) {
        add(absl::StrCat("DR ", data.bytes.view()));
      },
      [=](const EofReceived&) { add("EOF"); },
      [](const PauseWriting&) {},
      [](const ResumeWriting&) {},
      [=](const ConnectionLost&) { add("CL"); },
      [=](DescriptorsReceived& received) {
        add(absl::StrCat("FD(", received.descriptors.size(), ")@",
                         received.position, received.lost ? " lost" : ""));
        if (notes.descriptors) notes.descriptors(received);
      },
  };
}

}  // namespace

void StreamDescriptorsFixture::OpenWriter(AfterEof after_eof) {
  writer_ = SpawnStreamTransport(host(), io());
  ASSERT_EQ(Connect(writer_, std::move(ours_), NewStreamProtocol(), after_eof),
            "");
}

void StreamDescriptorsFixture::OpenReader(
    std::function<void(DescriptorsReceived&)> descriptors) {
  if (!descriptors) {
    descriptors = [this](DescriptorsReceived& received) { Keep(received); };
  }
  Both both = SpawnResident<caf::hidden>(
      host(), BothHandlers, BothNotes{read_, std::move(descriptors)});
  ASSERT_EQ(ConnectReader(std::move(theirs_),
                          caf::actor_cast<DescriptorReceiver>(both),
                          caf::actor_cast<StreamProtocol>(both)),
            "");
}

std::string StreamDescriptorsFixture::ConnectReader(OwnedFd fd,
                                                    DescriptorReceiver receiver,
                                                    StreamProtocol protocol) {
  reader_ = SpawnStreamTransport(host(), io());
  return Answer<Connected>(reader_,
                           ConnectStream{.fd = FdTicket(std::move(fd)),
                                         .protocol = std::move(protocol),
                                         .descriptors = std::move(receiver)});
}

void StreamDescriptorsFixture::Keep(DescriptorsReceived& received) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (FdTicket& ticket : received.descriptors) kept_.push_back(ticket.Take());
}

std::vector<FdTicket> StreamDescriptorsFixture::Tickets(size_t count) {
  std::vector<FdTicket> tickets(count);
  std::generate(tickets.begin(), tickets.end(), [this] { return Ticket(); });
  return tickets;
}

std::string StreamDescriptorsFixture::Pass(const std::string& text,
                                           std::vector<FdTicket> tickets) {
  return Answer<Drained>(writer_,
                         WriteDescriptors{Bytes(text), std::move(tickets)});
}

void StreamDescriptorsFixture::Say(const std::string& text) {
  caf::anon_send(writer_, Write{Bytes(text), {}});
}

void StreamDescriptorsFixture::PassPlainly(const OwnedFd& socket,
                                           const std::string& text,
                                           const std::vector<int>& numbers) {
  const iovec piece = {const_cast<char*>(text.data()), text.size()};
  EXPECT_TRUE(SendWithDescriptors(socket.get(), {&piece, 1}, numbers).ok());
}

void StreamDescriptorsFixture::ExpectAllClosed() {
  pipe_.second.Close();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    kept_.clear();
  }
  WaitForHangUp(pipe_.first);
}

}  // namespace troupe
