#include "tests/io/sockets/raw_client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "tests/support/descriptors.h"

namespace troupe {

RawClient::RawClient(const SocketAddress& address, TlsContext::Shared context)
    : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  EXPECT_EQ(connect(fd_.get(), address.data(), address.size()), 0);
  if (context == nullptr) return;
  auto session = TlsSession::Client(std::move(context), "");
  EXPECT_TRUE(session.ok()) << session.status();
  session_ = *std::move(session);
}

std::string RawClient::Output() {
  std::string output;
  for (Bytes piece = session_->TakeOutput(); !piece.empty();
       piece = session_->TakeOutput()) {
    output.append(piece.data(), piece.size());
  }
  return output;
}

std::string RawClient::Encoded(absl::string_view text) {
  if (session_ == nullptr) return std::string(text);
  EXPECT_TRUE(session_->Write(text).ok());
  return Output();
}

void RawClient::WriteFully(const std::string& bytes) {
  troupe::WriteFully(fd_, bytes);
}

bool RawClient::Receive() {
  char room[16 * 1024];
  const ssize_t n = read(fd_.get(), room, sizeof room);
  if (n > 0) session_->Receive(Bytes::Copy({room, static_cast<size_t>(n)}));
  return n > 0;
}

std::string RawClient::Hello() {
  EXPECT_TRUE(session_->Handshake().ok());
  return Output();
}

void RawClient::ShakeHands() {
  if (session_ == nullptr) return;
  for (;;) {
    const absl::Status status = session_->Handshake();
    ASSERT_TRUE(status.ok()) << status;
    WriteFully(Output());
    if (session_->handshake_done()) return;
    ASSERT_TRUE(Receive()) << "the server went";
  }
}

std::string RawClient::Hear(size_t size) {
  if (session_ == nullptr) return ReadFully(fd_, size);
  std::string text(size, 0);
  size_t got = 0;
  while (got < size) {
    auto read = session_->Read(absl::MakeSpan(text).subspan(got));
    if (!read.ok() || (!read->would_block && read->size == 0)) break;
    got += read->size;
    if (got < size && read->would_block && !Receive()) break;
  }
  text.resize(got);
  return text;
}

size_t RawClient::SayUntilFull() {
  size_t sum = 0;
  for (;;) {
    if (unsaid_.empty()) unsaid_ = Encoded(std::string(4096, 'n'));
    const ssize_t n = send(fd_.get(), unsaid_.data(), unsaid_.size(),
                           MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n <= 0) return sum;
    unsaid_.erase(0, n);
    sum += n;
  }
}

}  // namespace troupe
