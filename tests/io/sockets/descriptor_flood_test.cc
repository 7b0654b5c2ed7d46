// Ten thousand descriptors through a stream (row A25).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/fd_ticket.h"
#include "io/owned_fd.h"
#include "io/sockets/stream_messages.h"
#include "tests/io/sockets/stream_descriptors_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

// The position of a file is its number: each is opened by itself.
class DescriptorFloodTest : public StreamDescriptorsFixture {
 protected:
  static constexpr int kAll = 10000;

  void SetUp() override {
    file_ = MakeFile(std::string(kAll, '.'), O_RDONLY);
    path_ = absl::StrCat("/proc/self/fd/", file_.get());
  }
  FdTicket Numbered(int number) {
    OwnedFd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(lseek(fd.get(), number, SEEK_SET), number);
    return FdTicket(std::move(fd));
  }
  // One after the other, each when the one before has drained.
  void PassAll() {
    system_->spawn<caf::hidden>(
        [this](caf::event_based_actor* self) { PassFrom(self, 0); });
  }
  void PassFrom(caf::event_based_actor* self, int number) {
    if (number == kAll) return;
    self->request(writer_, caf::infinite,
                  WriteDescriptors{Bytes("x"), {Numbered(number)}})
        .then([=, this](const Drained&) { PassFrom(self, number + 1); });
  }

  OwnedFd file_;
  std::string path_;
};

TEST_F(DescriptorFloodTest,
       IsBoundedByAReceiverThatKeepsThemAndAllComeInOrder) {
  const size_t before = OpenDescriptors().size();
  std::vector<DescriptorsReceived> kept;  // the I/O thread's, and under mutex_
  bool keeps = true;
  int expected = 0, wrong = 0;
  size_t most = 0;
  OpenWriter();
  OpenReader([&](DescriptorsReceived& received) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const FdTicket& ticket : received.descriptors) {
      if (lseek(ticket.number(), 0, SEEK_CUR) != expected++) ++wrong;
    }
    if (keeps) kept.push_back(received);
    most = std::max(most, kept.size());
    if (expected == kAll) read_->Add("all");
  });
  PassAll();
  // Soon nothing is read any more, so the socket fills, and then the writer.
  // How soon depends on the bytes that are in flight, too.
  ASSERT_TRUE(read_->WaitFor("FD(1)@49"));
  ASSERT_TRUE(trace_->WaitUntil([](const std::vector<std::string>& events) {
    return !events.empty() && events.back() == "PAUSE";
  }));
  for (int i = 0; i < 3; ++i) WaitForIteration(*io_);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_LE(kept.size(), 65u);
  }
  EXPECT_LT(OpenDescriptors().size() - before, 120u);
  // With half of the window it would be woken.
  EXPECT_GT(Info(reader_).reading.in_flight, 128u * 1024);
  std::vector<DescriptorsReceived> let_go;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    keeps = false;
    let_go.swap(kept);
  }
  let_go.clear();
  ASSERT_TRUE(read_->WaitFor("all"));
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(most, 65u);
}

}  // namespace
}  // namespace troupe
