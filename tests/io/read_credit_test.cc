// What bounds the bytes in flight between a read transport and its protocol.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/read_buffer.h"
#include "io/read_transport.h"
#include "tests/support/descriptors.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

constexpr size_t kWindow = ReadTransportOptions().window;

// What a consumer holds until the test lets go.
struct Held {
  std::mutex mutex;
  std::vector<DataReceived> messages;
  size_t bytes = 0;
  size_t total = 0;

  void Keep(DataReceived& data) {
    std::lock_guard<std::mutex> lock(mutex);
    total += data.bytes.size();
    bytes += data.bytes.size();
    messages.push_back(data);
  }
  size_t LetGo() {
    std::vector<DataReceived> gone;
    std::lock_guard<std::mutex> lock(mutex);
    gone.swap(messages);
    bytes = 0;
    return gone.size();
  }
};

size_t ResidentKib() {
  std::ifstream in("/proc/self/statm");
  size_t size = 0, resident = 0;
  in >> size >> resident;
  return resident * 4;
}

class ReadCreditTest : public IoTest {
 protected:
  ReadCreditTest() {
    std::tie(in_, out_) = MakePipe();
    SetNonBlocking(out_);
  }
  ReadTransport Reading(ProtocolScript script,
                        ReadTransportOptions options = {}) {
    script.forget = true;
    ReadTransport transport = SpawnReadTransport(host(), io(), options);
    EXPECT_EQ(Connect(transport, std::move(in_), NewReadProtocol(script)), "");
    return transport;
  }
  ProtocolScript Holding() {
    ProtocolScript script;
    script.data = [held = held_](DataReceived& data) { held->Keep(data); };
    return script;
  }
  // Writes pieces of `size` until the transport is parked and the pipe is full;
  // how much went in.
  size_t WriteUntilStopped(const ReadTransport& transport, size_t size) {
    std::string piece(size, 'x');
    size_t total = 0;
    for (int idle = 0; idle < 3;) {
      ssize_t n = write(out_.get(), piece.data(), piece.size());
      if (n > 0) {
        total += n;
        idle = 0;
      } else {
        WaitForIteration(*io_);
        idle += Info(transport).reading.in_flight >= kWindow;
      }
    }
    return total;
  }
  OwnedFd in_, out_;
  std::shared_ptr<Held> held_ = std::make_shared<Held>();
};

TEST_F(ReadCreditTest, StopsTheWriterOfBigChunksWithinTheWindow) {
  ReadTransport transport = Reading(Holding());
  size_t written = WriteUntilStopped(transport, 65536);
  EXPECT_LE(held_->total, kWindow);
  EXPECT_LE(written, kWindow + fcntl(out_.get(), F_GETPIPE_SZ));
  // Charged in full: at most one chunk and its message above the window.
  EXPECT_LE(Info(transport).reading.in_flight,
            kWindow + Block::kSize + ReadBuffer::kMessageCost);
}

// One turn may read several chunks; the window ends it all the same.
TEST_F(ReadCreditTest, StopsWithinOneTurn) {
  ASSERT_GE(fcntl(out_.get(), F_SETPIPE_SZ, 1 << 20), 1 << 20);
  WriteFully(out_, std::string(1 << 20, 'x'));
  ReadTransportOptions options;
  options.window = Block::kSize;
  ReadTransport transport = Reading(Holding(), options);
  while (held_->total == 0) WaitForIteration(*io_);
  WaitForIteration(*io_);
  EXPECT_EQ(held_->total, Block::kSize);
}

// Each byte in a chunk of its own: it is the messages that cost.
TEST_F(ReadCreditTest, StopsAStreamOfSingleBytesByItsMessages) {
  ReadTransport transport = Reading(Holding());
  size_t written = 0;
  while (Info(transport).reading.in_flight < kWindow) {
    size_t seen = held_->total;
    WriteFully(out_, "x");
    ++written;
    while (held_->total == seen &&
           Info(transport).reading.in_flight < kWindow) {
    }
  }
  EXPECT_LE(
      written,
      kWindow / (ReadBuffer::kMessageCost + ReadBuffer::kLeastCharge) + 1);
  WriteFully(out_, "x");
  WaitForIteration(*io_);
  EXPECT_LE(held_->total, written);
}

TEST_F(ReadCreditTest, GoesOnWhenTheCreditComesBack) {
  ReadTransport transport = Reading(Holding());
  size_t written = WriteUntilStopped(transport, 65536);
  for (int i = 0; i < 20; ++i) {
    EXPECT_GT(held_->LetGo(), 0u);
    written += WriteUntilStopped(transport, 65536);
  }
  out_.Close();
  while (trace_->Count("CL(None)") == 0) {
    held_->LetGo();
    WaitForIteration(*io_);
  }
  EXPECT_EQ(held_->total, written);
}

TEST_F(ReadCreditTest, DeliversThroughAWindowSmallerThanAChunk) {
  ReadTransportOptions options;
  options.window = 1;
  ReadTransport transport = Reading({}, options);
  std::thread writer([this] {
    int flags = fcntl(out_.get(), F_GETFL);
    fcntl(out_.get(), F_SETFL, flags & ~O_NONBLOCK);
    WriteFully(out_, std::string(1 << 20, 'x'));
    out_.Close();
  });
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  writer.join();
}

TEST_F(ReadCreditTest, StaysBoundedWhenNobodyHandlesWhatArrives) {
  // The consumer is stuck in its first message; what follows waits in its
  // mailbox and is charged there.
  std::mutex gate;
  gate.lock();
  ProtocolScript script;
  script.data = [&](DataReceived&) { std::lock_guard<std::mutex> wait(gate); };
  ReadTransport transport = Reading(script);
  size_t before = ResidentKib();
  size_t written = WriteUntilStopped(transport, 65536);
  EXPECT_LE(written, 2 * kWindow);
  EXPECT_LE(ResidentKib(), before + 16 * 1024);
  gate.unlock();
  out_.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
}

TEST_F(ReadCreditTest, GivesSharedCreditBackWithTheLastCopyOfTheMessage) {
  ReadTransport transport = Reading(Holding());
  WriteFully(out_, "x");
  ASSERT_TRUE(trace_->WaitFor("DR(1)"));
  while (held_->total == 0) WaitForIteration(*io_);
  size_t charged = Info(transport).reading.in_flight;
  EXPECT_GT(charged, 0u);
  std::vector<DataReceived> copies = held_->messages;
  held_->LetGo();
  // The handler's own copy goes when it returns.
  while (Info(transport).reading.in_flight > charged) {
  }
  EXPECT_EQ(Info(transport).reading.in_flight, charged);
  copies.clear();
  while (Info(transport).reading.in_flight > 0) {
  }
}

TEST_F(ReadCreditTest, DoesNotStopForAConsumerThatKeepsTheBytesOnly) {
  auto kept = std::make_shared<std::vector<Bytes>>();
  ProtocolScript script;
  script.data = [kept](DataReceived& data) { kept->push_back(data.bytes); };
  Reading(script);
  int flags = fcntl(out_.get(), F_GETFL);
  fcntl(out_.get(), F_SETFL, flags & ~O_NONBLOCK);
  std::string all;
  for (int i = 0; i < 64; ++i) all += std::string(65536, 'a' + i % 26);
  WriteFully(out_, all);
  out_.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  std::string got;
  for (const Bytes& bytes : *kept) got += bytes.ToString();
  EXPECT_TRUE(got == all);
}

TEST_F(ReadCreditTest, MayBeReleasedAfterTheLoopIsGone) {
  ReadTransport transport = Reading(Holding());
  WriteUntilStopped(transport, 65536);
  io_->Stop();
  std::thread other([this] { EXPECT_GT(held_->LetGo(), 0u); });
  other.join();
}

// Many threads give back in any order while the stream runs and ends.
TEST_F(ReadCreditTest, IsReleasedByManyThreadsWhileTheStreamRuns) {
  std::vector<std::thread> threads;
  std::atomic<bool> over{false};
  ReadTransportOptions options;
  options.window = 3 * Block::kSize;
  Reading(Holding(), options);
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([this, &over] {
      while (!over) {
        DataReceived one;
        std::lock_guard<std::mutex> lock(held_->mutex);
        if (held_->messages.empty()) continue;
        one = std::move(held_->messages.back());
        held_->messages.pop_back();
      }
    });
  }
  int flags = fcntl(out_.get(), F_GETFL);
  fcntl(out_.get(), F_SETFL, flags & ~O_NONBLOCK);
  WriteFully(out_, std::string(32 << 20, 'x'));
  out_.Close();
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
  over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(held_->total, size_t{32} << 20);
  held_->LetGo();
}

}  // namespace
}  // namespace troupe
