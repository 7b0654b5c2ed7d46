#include "actors/acceptor.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "actors/exception_handler.h"
#include "actors/non_blocking.h"

namespace troupe {
namespace {

constexpr absl::Duration kPause = absl::Seconds(1);

}  // namespace

absl::Status Acceptor::Start(int fd, int batch, Accepted accepted) {
  Stop();
  absl::Status usable = loop_.CheckDescriptor(fd);
  if (usable.ok()) usable = CheckNonBlocking(fd);
  if (!usable.ok()) return usable;
  fd_ = fd;
  batch_ = std::max(batch, 1);
  absl::Status watched = Watch();
  if (watched.ok()) {
    accepted_ = std::make_shared<Accepted>(std::move(accepted));
  }
  return watched;
}

absl::Status Acceptor::Watch() {
  CallHandle added = loop_.AddReader(fd_, [this] { AcceptBatch(); });
  watching_ = added.status().ok();
  return added.status();
}

void Acceptor::Stop() {
  retry_.Cancel();
  if (std::exchange(watching_, false)) loop_.RemoveReader(fd_);
  accepted_.reset();
}

void Acceptor::AcceptBatch() {
  for (int i = 0; i < batch_; ++i) {
    auto accepted = AcceptConnection(fd_);
    if (!accepted.ok()) return Report(accepted.status());
    if (!accepted->has_value()) return;
    loop_.CallSoon([tell = std::weak_ptr<Accepted>(accepted_),
                    connection = **std::move(accepted)]() mutable {
      if (auto accepted = tell.lock()) (*accepted)(std::move(connection));
    });
  }
}

void Acceptor::Report(const absl::Status& why) {
  if (std::exchange(watching_, false)) loop_.RemoveReader(fd_);
  retry_ = loop_.CallLater(kPause, [this] {
    absl::Status watched = Watch();
    if (!watched.ok()) Report(watched);
  });
  ExceptionContext context;
  context.message = IsOutOfResources(why)
                        ? "socket.accept() out of system resource"
                        : "socket.accept() failed";
  context.exception = std::make_exception_ptr(std::runtime_error(
      std::string(why.message().data(), why.message().size())));
  context.details["socket"] = absl::StrCat("<fd ", fd_, ">");
  loop_.CallExceptionHandler(context);
}

}  // namespace troupe
