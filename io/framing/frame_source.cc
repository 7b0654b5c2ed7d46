#include "io/framing/frame_source.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe {

using Kind = Frame::Kind;

FrameSource::ReadId FrameSource::Read(Request request, Answer answer) {
  ReadId id = ++last_id_;
  waiting_.push_back({id, std::move(request), std::move(answer)});
  Serve();
  return id;
}

// The framer of the first one stays, with what it has taken: the next read goes
// on with it, or has it put back.
bool FrameSource::Cancel(ReadId id) {
  auto read = std::find_if(waiting_.begin(), waiting_.end(),
                           [id](const Waiting& w) { return w.id == id; });
  if (read == waiting_.end()) return false;
  if (read == waiting_.begin()) begun_ = false;
  waiting_.erase(read);
  Serve();
  return true;
}

std::vector<Bytes> FrameSource::TakeHeld() {
  DropFramers();
  std::vector<Bytes> held;
  for (Chunk& chunk : chunks_) held.push_back(std::move(chunk.bytes));
  chunks_.clear();
  return held;
}

void FrameSource::Add(Bytes bytes, Credit credit) {
  if (bytes.empty()) return;
  chunks_.push_back({std::move(bytes), std::move(credit)});
  Serve();
}

void FrameSource::Finish(absl::Status why) {
  if (end_.has_value()) return;
  end_ = std::move(why);
  Serve();
}

void FrameSource::Serve() {
  if (serving_) return;
  serving_ = true;
  while (!waiting_.empty()) {
    auto frame = Next(waiting_.front().request);
    if (!frame.has_value()) break;
    Answer answer = std::move(waiting_.front().answer);
    waiting_.pop_front();
    begun_ = false;
    answer(*std::move(frame));
  }
  serving_ = false;
}

// Nothing if it has to wait.
std::optional<absl::StatusOr<Frame>> FrameSource::Next(const Request& request) {
  if (!begun_) {
    absl::Status possible = Prepare(request);
    if (!possible.ok()) return possible;
    begun_ = true;
  }
  Bytes none;
  if (chunks_.empty()) {  // nothing may be all that is asked for
    if (auto frame = Cut(request, none)) return *std::move(frame);
  }
  while (!chunks_.empty()) {
    Chunk& chunk = chunks_.front();
    auto frame = Cut(request, chunk.bytes);
    if (chunk.bytes.empty()) chunks_.pop_front();
    if (frame.has_value()) return *std::move(frame);
  }
  if (!end_.has_value()) return std::nullopt;
  return Rest(request);
}

// A separator's framer is kept for the parts of a frame that is too long, and
// for a read that was cancelled: else it holds nothing between two frames.
absl::Status FrameSource::Prepare(const Request& request) {
  if (const auto* until = std::get_if<UntilSeparator>(&request)) {
    if (until_.has_value() && separator_ == until->separator) {
      return absl::OkStatus();
    }
    DropFramers();
    auto framer = SeparatorFramer::Create(
        {.separator = until->separator, .limit = limit_});
    if (!framer.ok()) return framer.status();
    until_ = *std::move(framer);
    separator_ = until->separator;
    return absl::OkStatus();
  }
  DropFramers();
  if (const auto* exact = std::get_if<ExactBytes>(&request)) {
    exact_.emplace(exact->size, std::numeric_limits<size_t>::max());
  }
  return absl::OkStatus();
}

// What a cancelled read had taken is the stream's first chunk again.
void FrameSource::DropFramers() {
  std::optional<Frame> taken;
  if (until_.has_value()) taken = until_->Finish();
  if (exact_.has_value()) taken = exact_->Finish();
  until_.reset();
  exact_.reset();
  if (!taken.has_value() || taken->bytes.empty()) return;
  chunks_.push_front({std::move(taken->bytes), Credit()});
}

std::optional<Frame> FrameSource::Cut(const Request& request, Bytes& chunk) {
  if (const auto* available = std::get_if<AvailableBytes>(&request)) {
    if (chunk.empty() && available->most > 0) return std::nullopt;
    return Frame{Kind::kComplete,
                 chunk.TakeFirst(std::min(available->most, chunk.size()))};
  }
  return exact_.has_value() ? exact_->Next(chunk) : until_->Next(chunk);
}

absl::StatusOr<Frame> FrameSource::Rest(const Request& request) {
  std::optional<Frame> last;
  if (std::holds_alternative<UntilSeparator>(request)) {
    last = until_->Finish();
  } else if (exact_.has_value()) {
    last = exact_->Finish();
  }
  if (last.has_value() && !last->bytes.empty()) return *std::move(last);
  if (!end_->ok()) return *end_;
  return Frame{Kind::kIncomplete, Bytes()};
}

}  // namespace troupe
